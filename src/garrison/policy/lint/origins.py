"""Rules about CORS: which policy a route names, and what `garrison.cors` says about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.cors.advice import Surroundings, advise
from garrison.cors.rules import check
from garrison.policy.file.problem import meant
from garrison.policy.lint.rule import Example, Found, at, rule
from garrison.policy.route import WEBSOCKET
from garrison.policy.table import cors_policy, users_of_cors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.errors import Problem
    from garrison.model.fit import Path
    from garrison.policy.lint.rule import Facts

__all__ = ["of_cors"]

_WEB = '[cors.web]\norigins = ["https://app.example.com"]\n'


def of_cors(facts: Facts) -> Iterator[Problem]:
    """Give the problems that `garrison.cors` finds in each policy, numbers GP101 and up."""
    for name, cors in facts.plain.cors.items():
        problems = check(cors_policy(cors, (), facts.plain), f"cors.{name}")
        yield from (problem for problem in problems if not facts.looks.inside(problem.path))
        if not any(problem.severity == "error" for problem in problems):
            yield from _of_surroundings(facts, name)


def _of_surroundings(facts: Facts, name: str) -> Iterator[Problem]:
    """Compare a sound policy with the routes that name it, and the hosts that are served."""
    facts.looks.seen.clear()
    users = users_of_cors(facts.rows, name)
    around = Surroundings(
        production=facts.production,
        served=tuple(f"https://{host}" for host in facts.policy.hosts),
        methods=frozenset(method for row in users for method in row.parsed.methods),
        authorization=any(facts.accepts(row, "jwt") for row in users if not row.whole.public),
        session=any(row.whole.sets_cookie for row in users),
    )
    advice = advise(cors_policy(facts.policy.cors[name], users, facts.policy), around, f"cors.{name}")
    yield from () if facts.looks.doubt(("cors", name)) else advice


@rule("GP062", "error", bad=_WEB + '[defaults]\ncors = "wed"', good=_WEB + '[defaults]\ncors = "web"')
def _unknown(facts: Facts) -> Iterator[Found]:
    """A route names a CORS policy that there is not.

    Its answers would be readable for no page.
    """
    known = (*facts.policy.cors, "none")
    stated: list[tuple[Path, str | None]] = [(("defaults", "cors"), facts.policy.defaults.cors)]
    stated += [(("routes", name, "cors"), route.cors) for name, route in facts.policy.routes.items()]
    for path, name in stated:
        if name is not None and name not in known:
            yield Found(path, f"there is no [cors.{name}]", meant(name, known))


@rule("GP063", "warning", bad=_WEB, good=_WEB + '[defaults]\ncors = "web"\n[routes]\n"GET /notes" = {}')
def _unused(facts: Facts) -> Iterator[Found]:
    """No route names a CORS policy.

    Its origins look allowed, and are not.
    """
    for name in facts.policy.cors:
        if facts.policy.defaults.cors != name and not users_of_cors(facts.rows, name):
            yield Found(("cors", name), "is named by no route", f'Write cors = "{name}" under [defaults], or remove it')


@rule("GP064", "error", bad=_WEB.replace("web", "none"), good=_WEB + '[defaults]\ncors = "web"')
def _none(facts: Facts) -> Iterator[Found]:
    """A CORS policy is called none.

    A route that says `cors = "none"` wants no pages at all.
    """
    if "none" in facts.policy.cors:
        yield Found(("cors", "none"), "none means: no policy", "Give it another name")


@rule(
    "GP065",
    "warning",
    bad='[routes]\n"WS /feed" = { scopes = ["feed:read"] }',
    good=_WEB + '[routes]\n"WS /feed" = { scopes = ["feed:read"], cors = "web" }',
)
def _sockets(facts: Facts) -> Iterator[Found]:
    """A WebSocket route names no CORS policy.

    Browsers open WebSockets from any page and leave the check of the origin to the server; without a policy
    only pages of the API's own origin may connect.
    """
    for row in facts.written:
        if WEBSOCKET in row.parsed.methods and row.whole.cors is None:
            yield at(row, "takes WebSockets and names no pages", 'Write cors = "…", or "none" where no page connects')


@rule("GP144", "error", bad=_WEB + "debug = true", good=Example(_WEB + "debug = true", "development"))
def _debug(facts: Facts) -> Iterator[Found]:
    """A CORS policy is in debug mode in production.

    A refused preflight then tells every page which origins, methods and fields are allowed, up to the one that is not.
    """
    for name, cors in facts.policy.cors.items():
        if facts.production and cors.debug:
            remedy = f"Write it under [environments.development.cors.{name}]"
            yield Found(("cors", name, "debug"), "tells every page what is allowed", remedy)


@rule(
    "GP066",
    "warning",
    bad=_WEB + 'methods = ["GET"]\n[routes]\n"PUT /notes" = { cors = "web" }',
    good=_WEB + 'methods = ["GET", "PUT"]\n[routes]\n"PUT /notes" = { cors = "web" }',
)
def _method(facts: Facts) -> Iterator[Found]:
    """A CORS policy lacks a method that its routes take.

    Pages get a CORS error from the browser instead of an answer.
    """
    for name, cors in facts.policy.cors.items():
        if cors.methods is None or "*" in cors.methods:
            continue
        # Browsers look at no list for these three (Fetch, CORS-safelisted method).
        listed = {*cors.methods, "GET", "HEAD", "POST", "OPTIONS", WEBSOCKET}
        for row in users_of_cors(facts.rows, name):
            for method in row.parsed.methods:
                if method not in listed:
                    text = f"lacks {method}, which {row.name!r} takes"
                    yield Found(("cors", name, "methods"), text, f"Add {method}, or leave methods out")


@rule(
    "GP067",
    "warning",
    bad=_WEB + 'headers = ["authorization"]\n[routes]\n"GET /notes" = { cors = "web" }',
    good=_WEB + '[routes]\n"GET /notes" = { cors = "web" }',
)
def _key_header(facts: Facts) -> Iterator[Found]:
    """A CORS policy lacks the header field that carries keys.

    Pages that send a key get a CORS error from the browser.
    """
    field = facts.policy.keys.header
    for name, cors in facts.policy.cors.items():
        if cors.headers is None or "*" in cors.headers or field in [header.lower() for header in cors.headers]:
            continue
        if any(facts.accepts(row, "key") and not row.whole.public for row in users_of_cors(facts.rows, name)):
            remedy = f"Add {field}, or leave headers out"
            yield Found(("cors", name, "headers"), f"lacks {field}, which carries keys", remedy)
