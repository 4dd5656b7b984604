"""How a policy writes its values: each notation has one reader, which says what is wrong and what would be right.

The structs mark their fields with a notation (`Duration = Annotated[str, Meta(extra={"notation": "duration"})]`);
loader, editor schema and reference page read the mark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from garrison import limits
from garrison.cors.origin import parse as parse_origin
from garrison.egress.rules import read_url
from garrison.errors import UsageError
from garrison.limits.limit import MOST_LOGGED
from garrison.model import scope, units
from garrison.model.net import extent, network_of
from garrison.policy.route import parse_route
from garrison.stores import url as stores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["EXAMPLES", "NOTATIONS", "READERS", "Notation", "exact", "is_media"]

_MEDIA = re.compile(r"\*/\*|[a-z0-9!#$&^_.+-]{1,127}/([a-z0-9!#$&^_.+-]{1,127}|\*)")
_FIELD = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_REFERENCE = re.compile(r"file:.+|credential:[A-Za-z0-9_.-]+|env:[A-Za-z_][A-Za-z0-9_]*")
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
# Two of these in a row are to become set operations in a later Python.
_CHARACTERS = re.compile(r"\[(?!.*(?:--|&&|~~|\|\|))[^\[\]\\^]+\]", re.DOTALL)


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if pattern.fullmatch(text) is None:
            msg = f"{text[:60]!r} is not {wanted}"
            raise UsageError(msg)
        return text

    return read


def is_media(text: str) -> bool:
    """Tell whether a text is a media type as a policy writes it."""
    return _MEDIA.fullmatch(text) is not None


def _characters(text: str) -> str:
    try:
        re.compile(_set(text))
    except re.error as failure:
        msg = f"{text[:60]!r} is not a set such as [A-Za-z0-9_] ({failure.msg})"
        raise UsageError(msg) from failure
    return text


def exact(text: str) -> limits.Limit:
    """Read a limit that forgives nothing and forgets nothing: `at most 5 in 15m`.

    Raises:
        UsageError: It is another kind of limit, or counts more than an exact one can.
    """
    limit = limits.parse(text)
    if limit.algorithm != "log":
        msg = f"{text[:60]!r} must be exact and at most {MOST_LOGGED}: at most 5 in 15m"
        raise UsageError(msg)
    return limit


def _life(text: str) -> int:
    life = units.duration(text)
    if life < units.SECOND or life % units.SECOND:
        # Tokens tell their end in whole seconds (RFC 7519 section 2).
        msg = f"{text[:40]!r} is not a life of whole seconds, such as 15m"
        raise UsageError(msg)
    return life


def _https(text: str) -> str:
    if not read_url(text).secure:
        msg = f"{text[:60]!r} is not an https address such as https://id.example.com/jwks"
        raise UsageError(msg)
    return text


def _scope(text: str) -> str:
    if not scope.is_scope(text):
        msg = f"{text[:60]!r} is not a scope such as tasks:read or tasks:*"
        raise UsageError(msg)
    return text


def _host(text: str) -> str:
    """Read a host in the form in which browsers name it: it is also the origin of the service's own pages."""
    origin = parse_origin(f"https://{text}")
    if origin is None or origin.host != text:
        msg = f"{text[:60]!r} is not a host such as api.example.com or [::1], in lower case and without a port"
        raise UsageError(msg)
    return text


def _reference(text: str) -> str:
    if _REFERENCE.fullmatch(text) is None:
        # The text is not repeated: whoever writes the secret itself here must not find it in a log as well.
        msg = "this is not a reference such as file:/run/secrets/root, credential:root or env:GARRISON_ROOT"
        raise UsageError(msg)
    return text


_set = _matching(_CHARACTERS, "a set such as [A-Za-z0-9_]")


class Notation(NamedTuple):
    """One way to write a value."""

    read: Callable[[str], object]
    """Raises `UsageError`, whose text names the right form."""

    words: str
    """What it is called in the reference."""

    example: str
    """How it looks in the file."""


NOTATIONS: Mapping[str, Notation] = {
    "characters": Notation(_characters, "set of characters", '"[A-Za-z0-9_]"'),
    "duration": Notation(units.duration, "duration", '"5m"'),
    "exact": Notation(exact, "exact limit", '"at most 5 in 15m"'),
    "field": Notation(
        _matching(_FIELD, "a header field name in lower case, such as x-api-key"), "header field", '"x-api-key"'
    ),
    "host": Notation(_host, "host", '"api.example.com"'),
    "https": Notation(_https, "https address", '"https://id.example.com/jwks"'),
    "life": Notation(_life, "duration of whole seconds", '"15m"'),
    "limit": Notation(limits.parse, "limit", '"50/s burst 500 per principal"'),
    "media": Notation(
        _matching(_MEDIA, "a media type in lower case, such as image/png, image/* or */*"), "media type", '"image/png"'
    ),
    "network": Notation(network_of, "network", '"10.0.0.0/8"'),
    "peer": Notation(extent, "network or unix", '"10.0.0.0/8"'),
    "prefix": Notation(_matching(_PREFIX, "a path such as /auth"), "path", '"/auth"'),
    "reference": Notation(_reference, "reference to a secret", '"file:/run/secrets/root"'),
    "route": Notation(parse_route, "route", '"GET /notes/{id}"'),
    "scope": Notation(_scope, "scope", '"tasks:read"'),
    "size": Notation(units.size, "size", '"1MiB"'),
    "counters": Notation(stores.read_counters, "place for counters", '"records:"'),
    "store": Notation(stores.read, "store", '"sqlite:var/garrison.db"'),
}
"""Every notation by the name that marks it in `garrison.policy.schema`."""

READERS = {name: notation.read for name, notation in NOTATIONS.items()}
EXAMPLES = {name: notation.example for name, notation in NOTATIONS.items()}
