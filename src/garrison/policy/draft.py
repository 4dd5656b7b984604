"""Write a first policy from an application's routes, with comments that say what to decide.

Nothing is opened by guessing: what looks public stays closed, with a comment that says what to write.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garrison.model.scope import is_scope
from garrison.policy.file.write import inline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.policy.found import FoundRoute
    from garrison.policy.route import RouteName

__all__ = ["draft"]

_HEAD = """\
# The policy of this API: who may call what, how often, from where. Nothing is open that is not named here.
# Lines that begin with "# decide" want a decision; `garrison check` lists what is left.
service = {service}

# decide: the names this API is reached by; in production any other is answered 421.
# hosts = ["api.example.com"]

[defaults]
credentials = ["key", "jwt"]
limit = "50/s burst 500 per principal"
# decide: pages of other origins that may read answers; without a policy, none.
# cors = "web"

# [cors.web]
# origins = ["https://app.example.com"]

[routes]
"""

_SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "QUERY", "WS"))
_PUBLIC = frozenset(
    ("health", "healthz", "livez", "readyz", "ready", "live", "ping", "status", "robots.txt", "favicon.ico")
)
_DOCS = frozenset(("docs", "redoc", "openapi.json", "oauth2-redirect", "swagger", "schema"))
_NOISE = frozenset(("api", "v1", "v2", "v3", "v4", "rest"))


def draft(routes: Sequence[FoundRoute], service: str = "api") -> str:
    """Write a policy.

    Args:
        routes: What the application has, documentation pages included.
        service: Name of the service; whatever a policy cannot be called becomes `api`.

    Returns:
        TOML that `load` reads; the comments say what to decide.
    """
    blocks: dict[str, str] = {}
    left_out = []
    for route in routes:
        parsed = route.parsed()
        if parsed is None:
            left_out.append(f"# left out, because a policy cannot name it: {_plain(f'{route.method} {route.path}')}")
            continue
        if route.method == "HEAD" or (route.method == "OPTIONS" and len(routes) > 1):
            # HEAD follows GET, and preflights are answered by the guard.
            continue
        blocks.setdefault(_shape(parsed), "\n".join(_block(route, parsed)))
    head = _HEAD.replace("{service}", inline(service if _SERVICE.fullmatch(service) else "api"))
    return head + "\n".join((*blocks.values(), *left_out)) + "\n"


def _shape(parsed: RouteName) -> str:
    """What two routes have in common that take the same paths: everything but the names of parameters."""
    parts = (f"{{{segment.kind}}}" if segment.kind else segment.text for segment in parsed.segments)
    return f"{parsed.methods[0]} /{'/'.join(parts)}"


def _block(route: FoundRoute, parsed: RouteName) -> Iterator[str]:
    """The comments of a route and its line."""
    words = [segment.text for segment in parsed.segments if not segment.kind]
    docs = not _DOCS.isdisjoint(words)
    if route.summary:
        yield f"# {_plain(route.summary)}"
    if route.public or docs or not _PUBLIC.isdisjoint(words):
        yield '# decide: for everybody? Then write public = true, limit = "10/s burst 100 per address"'
    demands: dict[str, object] = {}
    scopes = [scope for scope in route.scopes if is_scope(scope)]
    if scopes:
        demands["scopes"] = scopes
    elif not docs and not route.public:
        demands["scopes"] = [_guess(words, route.method)]
    if docs:
        demands["headers"] = "docs"
    if any(segment.kind for segment in parsed.segments) and route.method != "WS":
        yield "# decide: does each belong to somebody? Then write own = true, else own = false"
    if route.method == "WS":
        yield '# decide: which pages may connect? Write cors = "…", or cors = "none"'
        demands["cors"] = "none"
    yield f"{inline(f'{parsed.methods[0]} {parsed.template}')} = {inline(demands)}"


def _guess(words: list[str], method: str) -> str:
    """A scope from the first word of the path that says something: `/api/tasks/{id}` is about tasks."""
    subject = next((word.lower() for word in words if word and word.lower() not in _NOISE), "all")
    guess = f"{subject}:{'read' if method in _SAFE else 'write'}"
    return guess if is_scope(guess) else f"all:{'read' if method in _SAFE else 'write'}"


def _plain(text: str) -> str:
    """Text for a comment: one line, nothing that could end it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:120].strip()
