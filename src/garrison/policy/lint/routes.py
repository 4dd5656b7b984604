"""Rules about routes: which paths they take, and who gets there first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.errors import UsageError
from garrison.model.http.media import ANYTHING, is_json
from garrison.policy.body import BodySchema
from garrison.policy.lint.rule import Found, at, rule
from garrison.policy.route import WEBSOCKET
from garrison.policy.table import meetings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.model.fit import Path
    from garrison.policy.lint.rule import Facts
    from garrison.policy.table import Demand

__all__: list[str] = []


@rule(
    "GP020",
    "error",
    bad='[routes]\n"GET /notes/{id}" = {}\n"GET|PUT /notes/{note}" = {}',
    good='[routes]\n"GET /notes/{id}" = {}\n"PUT /notes/{note}" = {}',
)
def _twice(facts: Facts) -> Iterator[Found]:
    """Two routes take the same method on the same paths.

    Only one of them can be meant, and nobody can tell which demands hold.
    """
    for meeting in meetings(facts.rows):
        if meeting.same:
            text = f"takes {meeting.method} on the same paths as {meeting.one.name!r}"
            yield at(meeting.other, text, "Remove one of the two")


@rule(
    "GP021",
    "error",
    bad='[routes]\n"GET /notes/{id}" = {}\n"GET /{kind}/latest" = {}',
    good='[routes]\n"GET /notes/{id}" = {}\n"GET /kinds/{kind}/latest" = {}',
)
def _crossed(facts: Facts) -> Iterator[Found]:
    """Two routes take some of each other's paths, and neither is the more specific.

    Guard and application could each choose another one, and the stricter demands would be gone.
    """
    for meeting in meetings(facts.rows):
        if not meeting.ordered:
            text = f"meets {meeting.one.name!r} on some paths, and neither is the more specific"
            yield at(meeting.other, text, "Give one of them a literal segment where the other has a parameter")


@rule(
    "GP022",
    "warning",
    bad='[routes]\n"GET /notes/{id}" = {}\n"GET /notes/latest" = {}',
    good='[routes]\n"GET /notes/latest" = {}\n"GET /notes/{id}" = {}',
)
def _shadowed(facts: Facts) -> Iterator[Found]:
    """A route stands after a broader one that takes its paths too.

    Garrison prefers the more specific one; an application that matches in order reaches the broader one, and
    its handler runs under demands that were meant for another.
    """
    for meeting in meetings(facts.written):
        if meeting.narrows and not meeting.same:
            text = f"stands after {meeting.one.name!r}, which takes the same paths and more"
            yield at(meeting.other, text, "Put it first here, and see that the application declares it first")


@rule(
    "GP023",
    "warning",
    bad='[routes]\n"OPTIONS /notes" = {}',
    good='[routes]\n"GET /notes" = {}',
)
def _options(facts: Facts) -> Iterator[Found]:
    """A route takes OPTIONS.

    Preflights are answered by the guard and never reach a route; what is left is rarely meant.
    """
    for row in facts.written:
        if "OPTIONS" in row.parsed.methods:
            yield at(row, "takes OPTIONS, and the guard answers preflights by itself", "Remove OPTIONS")


@rule(
    "GP024",
    "error",
    bad='[routes]\n"GET /notes" = {}\n"HEAD /notes" = { public = true }',
    good='[routes]\n"GET /notes" = {}',
)
def _head(facts: Facts) -> Iterator[Found]:
    """HEAD has a route of its own on paths that GET has a route for.

    Frameworks answer HEAD by running what answers GET. Whoever may send HEAD with less than GET demands runs it all
    the same, and learns the length, the type and the existence of what GET shows.
    """
    gets = {row.name: row for row in facts.rows if "GET" in row.parsed.methods}
    heads = {row.name: row for row in facts.written if "HEAD" in row.parsed.methods and row.name not in gets}
    as_get = [row._replace(parsed=row.parsed._replace(methods=("GET",))) for row in heads.values()]
    found = meetings([*gets.values(), *as_get]) if heads else ()
    told = {meeting.other.name: None for meeting in found if meeting.one.name in gets and meeting.other.name in heads}
    for name in told:
        yield at(heads[name], "takes HEAD of a path that GET has a route for", "Remove HEAD; it follows GET")


@rule(
    "GP025",
    "warning",
    bad='[routes]\n"GET /notes" = {}\n"GET /notes/" = {}',
    good='[routes]\n"GET /notes" = {}',
)
def _slash(facts: Facts) -> Iterator[Found]:
    """Two routes differ in a trailing slash only.

    Many applications take both for one; then two sets of demands stand before one handler.
    """
    seen = {(method, row.parsed.template): row for row in facts.rows for method in row.parsed.methods}
    for (method, template), row in seen.items():
        twin = seen.get((method, template.removesuffix("/")))
        if template.endswith("/") and twin is not None and row.name in facts.policy.routes:
            yield at(row, f"differs from {twin.name!r} in a trailing slash only", "Keep one of the two")


@rule(
    "GP026",
    "warning",
    bad='[routes]\n"GET /Notes" = {}\n"GET /notes" = {}',
    good='[routes]\n"GET /notes" = {}',
)
def _case(facts: Facts) -> Iterator[Found]:
    """Two routes differ in upper and lower case only.

    Paths are compared letter by letter here; a proxy or a file system behind may not do so.
    """
    seen: dict[tuple[str, str], Demand] = {}
    for row in facts.written:
        for method in row.parsed.methods:
            twin = seen.setdefault((method, row.parsed.template.lower()), row)
            if twin.parsed.template != row.parsed.template:
                yield at(row, f"differs from {twin.name!r} in upper and lower case only", "Keep one of the two")


@rule(
    "GP027",
    "error",
    bad='[routes]\n"GET /{path:path}" = { public = true }',
    good='[routes]\n"GET /static/{path:path}" = { public = true }',
)
def _everything(facts: Facts) -> Iterator[Found]:
    """A public route takes every path.

    Whatever the policy forgets is then open, and a policy is there so that it is not.
    """
    for row in facts.written:
        if row.whole.public and row.parsed.segments[0].kind == "path":
            yield at(row, "is public and takes every path", "Name the paths that are public", "public")


@rule(
    "GP028",
    "warning",
    bad='[routes]\n"GET /notes" = { body = "note.json" }',
    good='[routes]\n"POST /notes" = { body = "note.json", scopes = ["notes:write"] }',
)
def _bodiless(facts: Facts) -> Iterator[Found]:
    """A body schema stands on a method that has no body.

    The body of GET and HEAD means nothing (RFC 9110 section 9.3.1): nobody sends what the schema demands.
    """
    for row in facts.written:
        if row.whole.body and {"GET", "HEAD", WEBSOCKET}.intersection(row.parsed.methods):
            yield at(row, "demands a body of a method that has none", "Remove the schema, or the method", "body")


@rule(
    "GP029",
    "error",
    bad='[routes]\n"POST /notes" = { body = "missing.json" }',
    good='[routes]\n"POST /notes" = { body = "note.json" }',
)
def _schema(facts: Facts) -> Iterator[Found]:
    """A body schema cannot be read, or is not sound.

    A route whose schema is missing would take any body.
    """
    if facts.files is None:
        return
    named: list[tuple[Path, str | None]] = [(("defaults", "body"), facts.policy.defaults.body)]
    named += [(("routes", row.name, "body"), row.stated.body) for row in facts.rows]
    for path, name in named:
        try:
            if name is not None:
                BodySchema(facts.files(name))
        except OSError as failure:
            yield Found(path, f"{name!r} cannot be read ({failure.strerror})", "Write the file")
        except UsageError as failure:
            yield Found(path, f"{name!r}: {failure}", "Mend the schema")


@rule(
    "GP127",
    "error",
    bad='[routes]\n"PUT /notes" = { body = "note.json", content = ["application/json", "text/plain"] }',
    good='[routes]\n"PUT /notes" = { body = "note.json" }',
)
def _unfit(facts: Facts) -> Iterator[Found]:
    """A route with a body schema takes bodies that are no JSON.

    Nothing but JSON can fit a schema, so nothing else is taken there, whatever `content` says.
    """
    for row in facts.rows:
        if row.whole.body and any(not is_json(kind) for kind in row.stated.content or ()):
            yield at(row, "has a body schema, which fits nothing but JSON", "Leave content out", "content")


@rule(
    "GP128",
    "warning",
    bad='[routes]\n"PUT /files/{name}" = { content = ["*/*"] }',
    good='[routes]\n"PUT /files/{name}" = { content = ["application/octet-stream"] }',
)
def _anything(facts: Facts) -> Iterator[Found]:
    """A route takes bodies of any type.

    They may be compressed or have no type at all, and JSON that does not say so goes by the strict parser: fine
    for a store of files, and a way around every check for a handler that parses what it gets.
    """
    named: list[tuple[Path, tuple[str, ...] | None]] = [(("defaults", "content"), facts.policy.defaults.content)]
    named += [(("routes", name, "content"), route.content) for name, route in facts.policy.routes.items()]
    for path, content in named:
        if ANYTHING in (content or ()):
            yield Found(
                path, "takes bodies of any type, and reads none of them", "Name the types that the handler reads"
            )


@rule(
    "GP030",
    "warning",
    bad='service = "notes"',
    good='service = "notes"\n[routes]\n"GET /notes" = {}',
)
def _none(facts: Facts) -> Iterator[Found]:
    """There is no route.

    Nothing is open by omission, so every request is answered 404.
    """
    if not facts.policy.routes:
        yield Found(("routes",), "no route is named, so nothing is reachable", "Let garrison init write the routes")


@rule(
    "GP031",
    "error",
    bad='[routes]\n"WS /feed/{id}" = { own = true }',
    good='[routes]\n"WS /feed/{id}" = { scopes = ["feed:read"] }',
)
def _stream(facts: Facts) -> Iterator[Found]:
    """A WebSocket route has own = true.

    The answer is withheld until the handler has asked who owns it; a stream has no one answer to withhold.
    """
    for row in facts.written:
        if row.whole.own and WEBSOCKET in row.parsed.methods:
            yield at(row, "has own = true on a WebSocket, which cannot be withheld", "Check the owner on accept", "own")
