"""Find the routes in an OpenAPI document (3.0 and 3.1; Swagger 2.0 as far as they agree)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from garrison.errors import UsageError
from garrison.policy.found import FoundRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["from_openapi"]

_VERBS = ("get", "head", "post", "put", "patch", "delete", "options")


def from_openapi(document: object) -> tuple[FoundRoute, ...]:
    """List the operations of a document, in its order.

    Args:
        document: The decoded JSON or YAML.

    Raises:
        UsageError: It is no OpenAPI document.
    """
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        msg = "this is no OpenAPI document: it has no paths"
        raise UsageError(msg)
    return tuple(_routes(document))


def _routes(document: dict[str, Any]) -> Iterator[FoundRoute]:
    prefix = _prefix(document)
    for path, item in document["paths"].items():
        if not isinstance(item, dict):
            continue
        for verb in _VERBS:
            operation = item.get(verb)
            if isinstance(operation, dict):
                scopes, public = _security(operation.get("security", document.get("security")))
                summary = operation.get("summary")
                told = summary if isinstance(summary, str) else ""
                content = _content(operation)
                method, template = verb.upper(), _template(prefix + path)
                yield FoundRoute((method,), template, scopes, summary=told, content=content, public=public)


def _content(operation: dict[str, Any]) -> tuple[str, ...]:
    """List the media types of a body, as far as the operation tells itself."""
    body = operation.get("requestBody")
    content = body.get("content") if isinstance(body, dict) else None
    return tuple(kind for kind in content if isinstance(kind, str)) if isinstance(content, dict) else ()


def _template(path: str) -> str:
    """Write a path as a policy does: whole segments, names of letters.

    A segment that is only partly a parameter (`{id}.csv`) becomes one whole parameter, which takes that and more.
    """
    return "/".join(_segment(part) for part in path.split("/"))


def _segment(part: str) -> str:
    if "{" not in part:
        return part
    name = re.sub(r"[^A-Za-z0-9_]+", "_", part).strip("_")
    return f"{{{name if name[:1].isalpha() else f'p_{name}'}}}"


def _prefix(document: dict[str, Any]) -> str:
    """The path that all operations stand below: of the first server, or `basePath`."""
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = first.get("url", document.get("basePath", ""))
    path = urlsplit(url).path if isinstance(url, str) else ""
    return "" if "{" in path else path.rstrip("/")


def _security(demands: object) -> tuple[tuple[str, ...], bool]:
    """Read `security`: the scopes it names, and whether it says that none is needed (`[]`, or `{}` among them)."""
    if not isinstance(demands, list):
        return (), False
    scopes: dict[str, None] = {}
    for demand in demands:
        for names in demand.values() if isinstance(demand, dict) else ():
            if isinstance(names, list):
                scopes |= dict.fromkeys(name for name in names if isinstance(name, str))
    return tuple(scopes), not demands or {} in demands
