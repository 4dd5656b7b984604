"""Write a first policy from an application's routes, with comments that say what to decide.

Nothing is opened by guessing: what looks public stays closed, with a comment that says what to write.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garrison.errors import UsageError
from garrison.model.http.media import is_json
from garrison.model.scope import is_scope
from garrison.policy.file.write import inline
from garrison.policy.notation import is_media
from garrison.policy.route import parse_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.policy.found import FoundRoute
    from garrison.policy.route import Segment

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
_UNTOLD = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""Methods that are written for a route whose framework does not tell."""

_BODIED = frozenset(("POST", "PUT", "PATCH"))
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
    for route in routes:
        try:
            segments = parse_template(route.template)
        except UsageError:
            text = _plain(f"left out, because a policy cannot name it: {route.template}")
            blocks.setdefault(text, f"# {text}")
            continue
        for method in route.methods or _UNTOLD:
            if method != "HEAD" and (method != "OPTIONS" or route.methods == ("OPTIONS",)):
                # HEAD follows GET, and preflights are answered by the guard.
                blocks.setdefault(_shape(method, segments), "\n".join(_block(route, method, segments)))
    head = _HEAD.replace("{service}", inline(service if _SERVICE.fullmatch(service) else "api"))
    return head + "\n".join(blocks.values()) + "\n"


def _shape(method: str, segments: tuple[Segment, ...]) -> str:
    """What two routes have in common that take the same paths: everything but the names of parameters."""
    parts = (f"{{{segment.kind}}}" if segment.kind else segment.text for segment in segments)
    return f"{method} /{'/'.join(parts)}"


def _block(route: FoundRoute, method: str, segments: tuple[Segment, ...]) -> Iterator[str]:
    """The comments of a route and its line."""
    words = [segment.text for segment in segments if not segment.kind]
    docs = route.documentation or not _DOCS.isdisjoint(words)
    if route.summary:
        yield f"# {_plain(route.summary)}"
    if route.public or docs or not _PUBLIC.isdisjoint(words):
        yield '# decide: for everybody? Then write public = true, limit = "10/s burst 100 per address"'
    demands: dict[str, object] = {}
    scopes = [scope for scope in route.scopes if is_scope(scope)]
    if scopes:
        demands["scopes"] = scopes
    elif not docs and not route.public:
        demands["scopes"] = [_guess(words, method)]
    if docs:
        demands["headers"] = "docs"
    content = [kind for kind in route.content if is_media(kind)]
    if method in _BODIED and not all(is_json(kind) for kind in content):
        demands["content"] = content
    if method == "WS":
        yield '# decide: which pages may connect? Write cors = "…", or leave "none" if no page does'
        demands["cors"] = "none"
    elif any(segment.kind for segment in segments) and not docs:
        yield "# decide: does each belong to somebody? Then write own = true, else own = false"
    yield f"{inline(f'{method} {route.template}')} = {inline(demands)}"


def _guess(words: list[str], method: str) -> str:
    """A scope from the first word of the path that says something: `/api/tasks/{id}` is about tasks."""
    subject = next((word.lower() for word in words if word and word.lower() not in _NOISE), "all")
    guess = f"{subject}:{'read' if method in _SAFE else 'write'}"
    return guess if is_scope(guess) else f"all:{'read' if method in _SAFE else 'write'}"


def _plain(text: str) -> str:
    """Text for a comment: one line, nothing that could end it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:120].strip()
