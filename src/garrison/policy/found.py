"""Routes found in an application or in its OpenAPI document, in the notation of a policy."""

from __future__ import annotations

import re
from typing import NamedTuple

from garrison.errors import UsageError
from garrison.policy.route import METHODS, RouteName, parse_route

__all__ = ["FoundRoute", "template_of"]

_ANGLE = re.compile(r"<(?:([A-Za-z_]+)(?:\([^)]*\))?:)?([A-Za-z_][A-Za-z0-9_]*)>")
_BRACES = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
_KINDS = {"int": "int", "float": "float", "uuid": "uuid", "path": "path", "FilePath": "path"}
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")


class FoundRoute(NamedTuple):
    """One method on one path, as the application has it."""

    method: str
    path: str
    """In the notation of the framework: `/notes/{id:int}`, `/notes/<int:id>`."""

    scopes: tuple[str, ...] = ()
    """Scopes that the application names itself, such as in `Security(principal, scopes=[…])`."""

    summary: str = ""
    """What it does, in a few words."""

    public: bool = False
    """Whether the application says that no credential is needed."""

    def parsed(self) -> RouteName | None:
        """Give the route as a policy names it; None where a policy cannot name it, such as TRACE or a pattern."""
        if self.method not in METHODS:
            return None
        try:
            return parse_route(f"{self.method} {template_of(self.path)}")
        except UsageError:
            return None


def template_of(path: str) -> str:
    """Translate a path from the notations of Starlette, Flask, Django and OpenAPI.

    A segment that is only partly a parameter becomes one whole parameter, which takes what it took and more.
    """
    written = _ANGLE.sub(lambda found: f"{{{found[2]}:{found[1] or ''}}}", path)
    parts = (written if written.startswith("/") else f"/{written}").split("/")
    return "/".join(_segment(part, last=at == len(parts) - 1) for at, part in enumerate(parts))


def _segment(part: str, *, last: bool) -> str:
    names = _BRACES.findall(part)
    if not names:
        return part
    if _BRACES.fullmatch(part) is None:
        return f"{{{_UNSAFE.sub('_', _BRACES.sub(lambda found: found[1], part)).strip('_')}}}"
    name, kind = names[0]
    kind = _KINDS.get(kind, "")
    name = _UNSAFE.sub("_", name)
    return f"{{{name}:{kind}}}" if kind and (kind != "path" or last) else f"{{{name}}}"
