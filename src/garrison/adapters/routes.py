"""What an application serves: its routes in the notation of a policy, whichever framework holds them.

Reads FastAPI, Starlette (with mounts and routers), Flask and Django, also behind middleware. A route that a
policy cannot name exactly (`/files/{name}.json`, a regular expression) is widened to the template around it:
a guard that asks for more paths than the application has refuses them, and never lets one through unseen.

No framework is imported that the application does not bring along.
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from garrison.errors import UsageError
from garrison.policy.found import FoundRoute
from garrison.policy.route import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["found_routes", "mounted_in", "plain_template"]

_DEEPEST = 32
"""Layers of middleware that are looked through."""

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([A-Za-z0-9_]+))?\}")
_KNOWN = frozenset(("int", "float", "uuid", "path"))
_FLASK = re.compile(r"<(?:(?P<kind>[A-Za-z_]\w*)(?:\((?P<arguments>.*?)\))?:)?(?P<name>[A-Za-z_]\w*)>")
_ONE_SEGMENT = re.compile(r"(?:\\[dwS]|\[\^[^\]]*/[^\]]*\]|\[(?!\^)[^\]/]*\]|[\w-])(?:[+*?]|\{\d+(?:,\d*)?\})*")
"""A piece of a regular expression that never matches a slash."""


def found_routes(app: Any) -> list[FoundRoute]:
    """List the routes of an application, in the order in which it looks at them.

    Args:
        app: An application of FastAPI, Starlette, Flask or Django, also behind middleware.

    Raises:
        UsageError: It holds no routes that could be read, as a bare ASGI or WSGI callable.
    """
    for layer in _layers(app):
        found = _routes_of(layer)
        if found is not None:
            return list(_merged(found))
    msg = f"a {type(app).__name__} does not tell its routes; write them by hand, or take them from an OpenAPI document"
    raise UsageError(msg)


def _routes_of(layer: Any) -> Iterable[FoundRoute] | None:
    if isinstance(getattr(layer, "routes", None), (list, tuple)):
        return _starlette(layer, "")
    if hasattr(getattr(layer, "url_map", None), "iter_rules"):
        return _flask(layer)
    django = sys.modules.get("django.core.handlers.base")
    if django is not None and isinstance(layer, django.BaseHandler):
        from django.urls import get_resolver

        return _django(get_resolver().url_patterns, "")
    return None


def _layers(app: Any) -> Iterator[Any]:
    """Look through middleware, which keeps what it stands around as `app`."""
    for _ in range(_DEEPEST):
        yield app
        # A guarded Flask application: the guard holds its bound method.
        inner = getattr(app, "app", None) or getattr(app, "__self__", None)
        if inner is None or inner is app:
            return
        app = inner


def _merged(found: Iterable[FoundRoute]) -> Iterator[FoundRoute]:
    """Drop what stands in front of an equal route: a router that was included twice."""
    seen: set[tuple[str, str]] = set()
    for route in found:
        new = tuple(method for method in route.methods if (method, route.template) not in seen)
        seen.update((method, route.template) for method in new)
        if new or not route.methods:
            yield route._replace(methods=new)


def _known_methods(methods: Iterable[str] | None) -> tuple[str, ...]:
    """Order methods as a policy does. HEAD follows GET by itself; OPTIONS that a framework answers is no route."""
    given = {method.upper() for method in methods or ()}
    if "GET" in given:
        given.discard("HEAD")
    return tuple(method for method in METHODS if method in given)


def plain_template(path: str) -> str:
    """Write a path of Starlette's notation as a template that a policy can hold, widened where it must be.

    A parameter with a converter of the application's own takes any segment; `{name}.json` becomes `{name}`; what
    stands behind a `{name:path}` goes.
    """
    segments = []
    for segment in path.split("/"):
        found = _PARAMETER.search(segment)
        if found is None:
            segments.append(segment)
            continue
        name, kind = found.groups()
        whole = found[0] == segment and kind in _KNOWN
        spans = any(parameter[2] == "path" for parameter in _PARAMETER.finditer(segment))
        segments.append(f"{{{name}:path}}" if spans else segment if whole else f"{{{name}}}")
        if spans:
            break
    return "/".join(segments)


# --- Starlette and FastAPI -------------------------------------------------------------------------------------------


def _starlette(router: Any, prefix: str) -> Iterator[FoundRoute]:
    pages = _documentation(router)
    for route in _included(router):
        path = getattr(route, "path", None)
        inner = getattr(route, "app", None)
        if isinstance(getattr(route, "routes", None), list) and route.routes:
            # A mount, or a host: what is inside it tells for itself.
            yield from _starlette(_inside(inner, route), prefix + (path or ""))
        elif path is not None:
            yield _starlette_route(route, prefix, path, documentation=path in pages)


def mounted_in(within: Any) -> Iterator[Any]:
    """List what is mounted in a Starlette application, however deep, behind whatever middleware and routers."""
    for route in _included(within):
        if isinstance(getattr(route, "routes", None), list):
            inner = _inside(getattr(route, "app", None), route)
            yield inner
            yield from mounted_in(inner)


def _inside(app: Any, route: Any) -> Any:
    """Find the application inside a mount, which knows its own documentation pages; else the mount itself."""
    for layer in _layers(app):
        if isinstance(getattr(layer, "routes", None), list):
            return layer
    return route


def _included(router: Any) -> Iterator[Any]:
    """List routes one by one; newer versions of FastAPI keep an included router as one entry."""
    routes = [*router.routes, *getattr(getattr(router, "router", router), "_low_priority_routes", ())]
    fastapi = sys.modules.get("fastapi.routing")
    flatten = getattr(fastapi, "iter_route_contexts", None)
    return iter(routes) if flatten is None else flatten(routes)


def _documentation(app: Any) -> frozenset[str]:
    names = ("openapi_url", "docs_url", "redoc_url", "swagger_ui_oauth2_redirect_url")
    return frozenset(path for path in (getattr(app, name, None) for name in names) if path)


def _starlette_route(route: Any, prefix: str, path: str, *, documentation: bool) -> FoundRoute:
    template = plain_template(prefix + path) or "/"
    kind = {base.__name__ for base in type(getattr(route, "original_route", route)).__mro__}
    endpoint = getattr(route, "endpoint", None)
    scopes, summary = _scopes(getattr(route, "dependant", None)), _summary(route, endpoint)
    if "WebSocketRoute" in kind:
        return FoundRoute(("WS",), template, scopes, summary=summary)
    if "Mount" in kind or "_FrontendRoute" in kind:
        static = any(base.__name__ == "StaticFiles" for base in type(route.app).__mro__)
        return FoundRoute(("GET",) if static else (), plain_template(f"{prefix}{path.rstrip('/')}/{{path:path}}"))
    methods = _known_methods(route.methods or _handlers(endpoint))
    body = getattr(getattr(route, "body_field", None), "field_info", None)
    content = tuple(filter(None, [getattr(body, "media_type", "")]))
    return FoundRoute(methods, template, scopes, documentation, "" if documentation else summary, content)


def _summary(route: Any, function: Any) -> str:
    """Say what a route does: what the framework was told, else the first line under the function's name."""
    told = getattr(route, "summary", None) or (inspect.getdoc(function) if inspect.isroutine(function) else "") or ""
    return str(told).partition("\n")[0]


def _handlers(endpoint: Any) -> list[str]:
    """List the methods that a class-based endpoint has functions for."""
    return [method for method in METHODS if isinstance(endpoint, type) and hasattr(endpoint, method.lower())]


def _scopes(dependant: Any) -> tuple[str, ...]:
    if dependant is None:
        return ()
    named: list[str] = []
    for inner in dependant.dependencies:
        # `security_scopes` in versions of FastAPI before 0.121.
        named += getattr(inner, "own_oauth_scopes", None) or getattr(inner, "security_scopes", None) or ()
        named += _scopes(inner)
    return tuple(dict.fromkeys(named))


# --- Flask -----------------------------------------------------------------------------------------------------------


def _flask(app: Any) -> Iterator[FoundRoute]:
    for rule in app.url_map.iter_rules():
        methods = set(rule.methods or ())
        if getattr(rule, "provide_automatic_options", False):
            methods.discard("OPTIONS")
        template = plain_template(_FLASK.sub(lambda found: _flask_parameter(found, app.url_map), rule.rule))
        summary = _summary(rule, app.view_functions.get(rule.endpoint))
        yield FoundRoute(("WS",) if rule.websocket else _known_methods(methods), template, summary=summary)


def _flask_parameter(found: re.Match[str], url_map: Any) -> str:
    kind, arguments, name = found["kind"] or "default", found["arguments"] or "", found["name"]
    converter = url_map.converters.get(kind)
    if not getattr(converter, "part_isolating", True):
        return f"{{{name}:path}}"
    # A signed number begins with a dash, which a policy's `int` and `float` do not take.
    plain = kind in _KNOWN and "signed" not in arguments
    return f"{{{name}:{kind}}}" if plain else f"{{{name}}}"


# --- Django ----------------------------------------------------------------------------------------------------------


def _django(patterns: Iterable[Any], prefix: str) -> Iterator[FoundRoute]:
    for each in patterns:
        for own in _django_paths(each.pattern):
            path = prefix + own
            if hasattr(each, "url_patterns"):
                yield from _django(each.url_patterns, path)
            else:
                summary = _summary(each, each.callback)
                yield FoundRoute(_django_methods(each.callback), plain_template("/" + path), summary=summary)


def _django_paths(pattern: Any) -> tuple[str, ...]:
    """Give the template of one pattern; `i18n_patterns` have one more for the language that shows no prefix."""
    if hasattr(pattern, "language_prefix"):
        return ("{language}/",) if pattern.prefix_default_language else ("{language}/", "")
    # Both kinds hold a regular expression, one of them made from the route.
    return (_django_path(str(pattern)) if hasattr(pattern, "_route") else _plain_regex(str(pattern)),)


def _django_path(route: str) -> str:
    """Write `<int:id>` as `{id:int}`; a slug, or a converter of the project's own, takes any segment."""
    return re.sub(r"<(?:(\w+):)?(\w+)>", lambda found: f"{{{found[2]}:{found[1] or 'str'}}}", route)


def _plain_regex(regex: str) -> str:
    """Write a regular expression of `re_path` as a template: literals stay, a group that cannot span is a segment."""
    path, at = "", len(regex) - len(regex.removeprefix("^"))
    while at < len(regex) and regex[at:] not in ("$", r"\Z", r"\z"):
        end = _group_end(regex, at) if regex[at] == "(" else at + 1 + (regex[at] == "\\")
        piece, at = regex[at:end], end
        if piece.startswith("("):
            found = re.match(r"\(\?P<(\w+)>", piece)
            name, inner = (found[1], piece[found.end() : -1]) if found else ("rest", piece.removeprefix("(")[:-1])
            if not (found and _ONE_SEGMENT.fullmatch(inner)):
                return f"{path}{{{name}:path}}"
            path += f"{{{name}}}"
        elif re.fullmatch(r"[\w/-]|\\[-./_]", piece):
            path += piece.removeprefix("\\")
        else:
            # Anything cleverer: the rest of the path may be whatever it is.
            return f"{path.rpartition('/')[0]}/{{rest:path}}".removeprefix("/")
    return path


def _group_end(regex: str, at: int) -> int:
    """Find where the group that opens here ends; brackets may hold parentheses, and everything may be escaped."""
    depth, inside = 0, False
    while at < len(regex):
        letter = regex[at]
        at += 1 + (letter == "\\")
        if inside or letter == "[":
            inside = letter != "]"
        elif letter in "()":
            depth += 1 if letter == "(" else -1
            if not depth:
                break
    return at


def _django_methods(view: Any) -> tuple[str, ...]:
    """List what a class-based view or a view set answers; a plain function does not tell."""
    actions = getattr(view, "actions", None)
    if isinstance(actions, dict):
        return _known_methods(actions)
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
    names = getattr(kind, "http_method_names", ())
    return _known_methods(name for name in names if name not in ("options", "head") and hasattr(kind, name))
