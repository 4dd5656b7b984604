"""Rules about who may call a route: public, owned, fresh, and what contradicts each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.policy.lint.rule import Found, at, rule
from garrison.policy.schema import All

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.lint.rule import Facts

__all__: list[str] = []


@rule(
    "GP032",
    "error",
    bad="[defaults]\npublic = true",
    good='[routes]\n"GET /health" = { public = true }',
)
def _open(facts: Facts) -> Iterator[Found]:
    """Routes are public by default.

    Every route that is added and forgotten is then open.
    """
    if facts.policy.defaults.public:
        text = "makes every route public that does not say otherwise"
        yield Found(("defaults", "public"), text, "Remove it and write public = true on the routes that are")


@rule(
    "GP033",
    "error",
    bad='[routes]\n"GET /notes" = { public = true, scopes = ["notes:read"] }',
    good='[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
)
def _public_scopes(facts: Facts) -> Iterator[Found]:
    """A public route demands scopes.

    Nobody is asked for a credential there, so nobody has a scope.
    """
    for row in facts.written:
        if row.whole.public and row.stated.scopes:
            yield at(row, "is public and demands scopes", "Remove public, or the scopes", "scopes")


@rule(
    "GP034",
    "error",
    bad='[routes]\n"GET /notes/{id}" = { public = true, own = true }',
    good='[routes]\n"GET /notes/{id}" = { own = true, scopes = ["notes:read"] }',
)
def _public_own(facts: Facts) -> Iterator[Found]:
    """A public route has own = true.

    A caller who is nobody owns nothing, so every answer is withheld.
    """
    for row in facts.written:
        if row.whole.public and row.whole.own:
            yield at(row, "is public and has own = true", "Remove public, or own", "own")


@rule(
    "GP035",
    "error",
    bad='[routes]\n"POST /notes" = { public = true, limit = "1/s", require = { fresh = "5m" } }',
    good='[routes]\n"POST /notes" = { require = { fresh = "5m" } }',
)
def _public_fresh(facts: Facts) -> Iterator[Found]:
    """A public route demands a fresh or a strong login.

    Nobody has logged in there.
    """
    for row in facts.written:
        if row.whole.public and row.stated.require is not None:
            yield at(row, "is public and demands a login", "Remove public, or require", "require")


@rule(
    "GP036",
    "error",
    bad='[routes]\n"GET /notes" = { credentials = [] }',
    good='[routes]\n"GET /notes" = { credentials = ["jwt"] }',
)
def _nobody(facts: Facts) -> Iterator[Found]:
    """A route accepts no credential and is not public.

    Nobody can ever call it.
    """
    for row in facts.written:
        kinds = row.whole.credentials
        if not row.whole.public and kinds is not None and not (kinds.all if isinstance(kinds, All) else kinds):
            yield at(row, "accepts no credential and is not public", "Name one, or write public = true", "credentials")


@rule(
    "GP037",
    "warning",
    bad='[routes]\n"GET /notes" = { credentials = { all = ["key"] } }',
    good='[routes]\n"GET /notes" = { credentials = { all = ["key", "jwt"] } }',
)
def _all_of_one(facts: Facts) -> Iterator[Found]:
    """A route demands all of a single credential.

    Either a second one was forgotten, or a plain list says it better.
    """
    for row in facts.written:
        kinds = row.stated.credentials
        if isinstance(kinds, All) and len(set(kinds.all)) == 1:
            yield at(row, "demands all of one credential", "Name the second, or write a plain list", "credentials")


@rule(
    "GP038",
    "error",
    bad='[routes]\n"POST /keys" = { credentials = ["key"], require = { fresh = "5m" } }',
    good='[routes]\n"POST /keys" = { credentials = ["jwt"], require = { fresh = "5m" } }',
)
def _key_fresh(facts: Facts) -> Iterator[Found]:
    """A route accepts keys only and demands a login.

    A key proves no person's presence, so the demand is never met.
    """
    for row in facts.written:
        if row.whole.require is not None and not row.whole.public and not facts.accepts(row, "jwt"):
            yield at(row, "accepts keys only, which are never fresh", "Accept jwt, or remove require", "require")


@rule(
    "GP039",
    "warning",
    bad='[routes]\n"GET /notes" = { own = true, scopes = ["notes:read"] }',
    good='[routes]\n"GET /notes/{id}" = { own = true, scopes = ["notes:read"] }',
)
def _own_what(facts: Facts) -> Iterator[Found]:
    """A route without a parameter has own = true.

    There is no single thing to own; a list is cut to its owner by the query that makes it.
    """
    for row in facts.written:
        if row.stated.own and not row.parameters:
            yield at(row, "has own = true and names no thing", "Remove own, and list only what the caller owns", "own")


@rule(
    "GP040",
    "warning",
    bad='[routes]\n"GET /notes/{id}" = { scopes = ["notes:read"] }',
    good='[routes]\n"GET /notes/{id}" = { scopes = ["notes:read"], own = true }',
)
def _not_owned(facts: Facts) -> Iterator[Found]:
    """A route to one thing does not say whether its owner matters.

    Whoever has the scope reads everybody's things by counting up the id, the commonest flaw of APIs (OWASP API1:2023).
    """
    for row in facts.written:
        if row.parameters and row.whole.own is None and not row.whole.public:
            remedy = "Write own = true, or own = false where everybody with the scope may have it"
            yield at(row, "names one thing and not whether its owner is asked for", remedy)


@rule(
    "GP041",
    "warning",
    bad='[routes]\n"DELETE /notes/{id}" = { own = false }',
    good='[routes]\n"DELETE /notes/{id}" = { own = false, scopes = ["notes:write"] }',
)
def _unscoped(facts: Facts) -> Iterator[Found]:
    """A route that changes something demands no scope.

    Any credential will do, also one that was made to read something else.
    """
    for row in facts.written:
        if facts.writes(row) and not row.whole.public and not row.whole.scopes and row.mounted is None:
            yield at(row, "changes something and demands no scope", 'Write scopes = ["…:write"]')


@rule(
    "GP042",
    "warning",
    bad='[routes]\n"POST /contact" = { public = true }',
    good='[routes]\n"POST /contact" = { public = true, limit = "at most 5 in 1h per address" }',
)
def _public_write(facts: Facts) -> Iterator[Found]:
    """A public route that changes something has no limit.

    Anybody may call it as often as the network carries.
    """
    for row in facts.written:
        if row.whole.public and facts.writes(row) and not facts.limits(row):
            yield at(row, "is public, changes something and has no limit", 'Write limit = "… per address"')
