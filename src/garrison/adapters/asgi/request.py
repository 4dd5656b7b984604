"""Translate an ASGI connection scope into a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.request import NONE, Request, repeated

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Scope

__all__ = ["ScopeRequest"]


class ScopeRequest(Request):
    """What an ASGI server received; a WebSocket's method is `WS`, as in the policy.

    Written out where `Request(...)` would do: this happens to every request.
    """

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        """Take the parts out of a connection scope."""
        client = scope.get("client")
        method = scope.get("method")
        # An HTTP request that calls its method WS must not open what is a WebSocket's.
        self.method = "WS" if method is None else "ws" if method == "WS" else method
        self.path = scope["path"]
        self.headers = headers = scope["headers"]
        self.raw_path = scope.get("raw_path") or b""
        self.query = scope.get("query_string", b"")
        self.scheme = scope.get("scheme", "http")
        self.peer = client[0] if client else ""
        self.fields = fields = dict(headers)
        self.repeated = NONE if len(fields) == len(headers) else repeated(headers)
