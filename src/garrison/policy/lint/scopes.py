"""Rules about scopes: what is demanded, what is granted, and what is granted to too many."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from garrison.model import scope
from garrison.policy.lint.rule import Found, at, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.lint.rule import Facts

__all__: list[str] = []

_USERS = '[accounts]\nscopes = ["notes:read"]\n'


@rule(
    "GP043",
    "warning",
    bad=_USERS + '[routes]\n"POST /notes" = { credentials = ["jwt"], scopes = ["notes:write"] }',
    good=_USERS + '[routes]\n"GET /notes" = { credentials = ["jwt"], scopes = ["notes:read"] }',
)
def _never_granted(facts: Facts) -> Iterator[Found]:
    """A route for tokens demands a scope that nobody is granted.

    Neither new users nor a foreign issuer carry it, so nobody can call the route with a token.
    """
    policy = facts.policy
    if policy.accounts is None and not policy.jwt.issuers:
        return
    for row in facts.written:
        if row.whole.public or facts.accepts(row, "key"):
            continue
        for at_, wanted in enumerate(row.stated.scopes or ()):
            if not facts.grants(wanted):
                text = f"{wanted!r} is granted to no user and to no issuer"
                yield Found(("routes", row.name, "scopes", at_), text, "Grant it under [accounts] or [jwt.issuers.…]")


@rule(
    "GP044",
    "warning",
    bad='[accounts]\nscopes = ["notes:read", "notes:print"]\n[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
    good=_USERS + '[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
)
def _never_demanded(facts: Facts) -> Iterator[Found]:
    """New users are granted a scope that no route demands.

    It is a misspelling, or a right that waits for a route which nobody has looked at yet.
    """
    if facts.policy.accounts is None:
        return
    demanded = facts.demanded
    for number, granted in enumerate(facts.policy.accounts.scopes):
        if not any(scope.covers(frozenset((granted,)), wanted) for wanted in demanded):
            text = f"{granted!r} is granted and no route demands it"
            yield Found(("accounts", "scopes", number), text, "Remove it, or demand it")


def _powerful(granted: str) -> bool:
    return any(word in ("admin", "root", "superuser") for word in granted.lower().replace(".", ":").split(":"))


@rule(
    "GP045",
    "error",
    bad='[accounts]\nscopes = ["admin:*"]',
    good=_USERS + '[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
)
def _everybody_admin(facts: Facts) -> Iterator[Found]:
    """New users are granted an administrator's scope.

    Whoever registers rules the service.
    """
    for number, granted in enumerate(facts.policy.accounts.scopes if facts.policy.accounts else ()):
        if _powerful(granted):
            text = f"{granted!r} is granted to everybody who registers"
            yield Found(("accounts", "scopes", number), text, "Remove it, and grant it to single users")


@rule(
    "GP046",
    "warning",
    bad='[accounts]\nscopes = ["notes:*"]\n[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
    good=_USERS + '[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
)
def _starred(facts: Facts) -> Iterator[Found]:
    """New users are granted a scope with a star.

    It covers rights that are invented tomorrow.
    """
    for number, granted in enumerate(facts.policy.accounts.scopes if facts.policy.accounts else ()):
        if granted.endswith(":*"):
            text = f"{granted!r} covers every right of that name, those of tomorrow too"
            yield Found(("accounts", "scopes", number), text, "Name the scopes one by one")


_ISSUER = """[jwt.issuers.corp]
issuer = "https://id.example.com"
jwks = "https://id.example.com/jwks"
audience = "notes"
"""


@rule(
    "GP047",
    "warning",
    bad=_ISSUER + 'scopes = ["admin:*"]',
    good=_ISSUER + 'scopes = ["notes:read"]',
)
def _foreign_admin(facts: Facts) -> Iterator[Found]:
    """A foreign issuer may make administrators.

    Whoever runs or breaks into that issuer rules this service too.
    """
    for name, issuer in facts.policy.jwt.issuers.items():
        for number, granted in enumerate(issuer.scopes):
            if _powerful(granted):
                text = f"tokens of the issuer may carry {granted!r}"
                yield Found(("jwt", "issuers", name, "scopes", number), text, "Grant it to single users here instead")


@rule(
    "GP048",
    "warning",
    bad=_ISSUER,
    good=_ISSUER + 'scopes = ["notes:read"]',
)
def _foreign_nothing(facts: Facts) -> Iterator[Found]:
    """A foreign issuer's tokens may carry no scope.

    They are verified and then may do nothing that demands one.
    """
    for name, issuer in facts.policy.jwt.issuers.items():
        if not issuer.scopes:
            yield Found(("jwt", "issuers", name), "may carry no scope", 'Write scopes = ["notes:read"]')


@rule(
    "GP049",
    "warning",
    bad='[routes]\n"GET /notes" = { scopes = ["notes:read"] }\n"GET /notes/all" = { scopes = ["note:read"] }',
    good='[routes]\n"GET /notes" = { scopes = ["notes:read"] }\n"GET /notes/all" = { scopes = ["notes:read"] }',
)
def _misspelled(facts: Facts) -> Iterator[Found]:
    """A scope is demanded once, and one that looks almost alike elsewhere.

    A misspelled scope is a right that nobody has, or that somebody grants by mistake.
    """
    uses = Counter(wanted for row in facts.rows for wanted in row.whole.scopes or ())
    earlier: dict[str, int] = {}
    for row in facts.written:
        for wanted in row.stated.scopes or ():
            close = (
                get_close_matches(wanted, _near(wanted, earlier), n=1, cutoff=_ALIKE) if wanted not in earlier else []
            )
            if close and 1 in (uses[wanted], uses[close[0]]) and _letters(wanted) != _letters(close[0]):
                yield at(row, f"{wanted!r} looks like {close[0]!r}", "Write one of the two everywhere", "scopes")
            earlier[wanted] = _set(wanted)


_ALIKE = 0.93
"""Twice the letters in common, through all letters of both."""


def _near(wanted: str, others: dict[str, int]) -> list[str]:
    """Leave out what shares too few letters to be alike; comparing a thousand scopes with each other takes seconds.

    A letter that only one of the two has is in no common part. Of all letters those are at most 7 %, and both together
    have at most 2 / 0.93 times as many as the one: 15.1 %, rounded up.
    """
    letters, most = _set(wanted), len(wanted) * 0.16
    return [other for other, others_letters in others.items() if (letters ^ others_letters).bit_count() <= most]


def _set(text: str) -> int:
    """Give the letters of a text as the bits of a number."""
    found = 0
    for letter in text:
        found |= 1 << ord(letter)
    return found


def _letters(text: str) -> str:
    """A scope without digits: `v1:notes` and `v2:notes` differ on purpose."""
    return "".join(letter for letter in text if not letter.isdigit())


@rule(
    "GP050",
    "warning",
    bad='[routes]\n"GET /notes" = { scopes = ["notes:*"] }',
    good='[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
)
def _demanded_star(facts: Facts) -> Iterator[Found]:
    """A route demands a scope with a star.

    Only a credential that was granted that very star passes; a star belongs into what is granted.
    """
    for row in facts.written:
        for wanted in row.stated.scopes or ():
            if wanted.endswith(":*"):
                yield at(row, f"demands {wanted!r}, and stars are for grants", "Name the right", "scopes")
