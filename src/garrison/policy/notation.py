"""How a policy writes its values: each notation has one reader, which says what is wrong and what would be right.

The structs mark their fields with a notation (`Duration = Annotated[str, Meta(extra={"notation": "duration"})]`);
loader, editor schema and reference page read the mark.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from garrison import limits
from garrison.errors import UsageError
from garrison.model import scope, units
from garrison.policy.route import parse_route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["EXAMPLES", "NOTATIONS", "READERS", "Notation"]

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_FIELD = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_REFERENCE = re.compile(r"file:.+|credential:[A-Za-z0-9_.-]+|env:[A-Za-z_][A-Za-z0-9_]*")
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_STORE = re.compile(r"memory:|sqlite:[^\x00-\x1f?#]+")
_CHARACTERS = re.compile(r"\[[^\[\]\\^]+\]")


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if pattern.fullmatch(text) is None:
            msg = f"{text[:60]!r} is not {wanted}"
            raise UsageError(msg)
        return text

    return read


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as failure:
        msg = f"{text[:60]!r} is not a network such as 10.0.0.0/8 or 2001:db8::/32 ({failure})"
        raise UsageError(msg) from failure
    return text


def _scope(text: str) -> str:
    if not scope.is_scope(text):
        msg = f"{text[:60]!r} is not a scope such as tasks:read or tasks:*"
        raise UsageError(msg)
    return text


def _host(text: str) -> str:
    if not text.startswith("["):
        return _plain_host(text)
    try:
        # A zone (`%eth0`) is left on, and refused with the bracket that is missing.
        IPv6Address(text[1:-1] if text.endswith("]") and "%" not in text else text)
    except ValueError as failure:
        msg = f"{text[:60]!r} is not an address in brackets such as [::1]"
        raise UsageError(msg) from failure
    return text


def _reference(text: str) -> str:
    if _REFERENCE.fullmatch(text) is None:
        # The text is not repeated: whoever writes the secret itself here must not find it in a log as well.
        msg = "this is not a reference such as file:/run/secrets/root, credential:root or env:GARRISON_ROOT"
        raise UsageError(msg)
    return text


_plain_host = _matching(_HOST, "a host such as api.example.com or [::1], in lower case and without a port")


class Notation(NamedTuple):
    """One way to write a value."""

    read: Callable[[str], object]
    """Raises `UsageError`, whose text names the right form."""

    words: str
    """What it is called in the reference."""

    example: str
    """How it looks in the file."""


NOTATIONS: Mapping[str, Notation] = {
    "characters": Notation(_matching(_CHARACTERS, "a set such as [A-Za-z0-9_]"), "set of characters", '"[A-Za-z0-9_]"'),
    "duration": Notation(units.duration, "duration", '"5m"'),
    "field": Notation(
        _matching(_FIELD, "a header field name in lower case, such as x-api-key"), "header field", '"x-api-key"'
    ),
    "host": Notation(_host, "host", '"api.example.com"'),
    "limit": Notation(limits.parse, "limit", '"50/s burst 500 per principal"'),
    "network": Notation(_network, "network", '"10.0.0.0/8"'),
    "prefix": Notation(_matching(_PREFIX, "a path such as /auth"), "path", '"/auth"'),
    "reference": Notation(_reference, "reference to a secret", '"file:/run/secrets/root"'),
    "route": Notation(parse_route, "route", '"GET /notes/{id}"'),
    "scope": Notation(_scope, "scope", '"tasks:read"'),
    "size": Notation(units.size, "size", '"1MiB"'),
    "store": Notation(_matching(_STORE, "a store: memory: or sqlite:PATH"), "store", '"sqlite:var/garrison.db"'),
}
"""Every notation by the name that marks it in `garrison.policy.schema`."""

READERS = {name: notation.read for name, notation in NOTATIONS.items()}
EXAMPLES = {name: notation.example for name, notation in NOTATIONS.items()}
