"""Translate an ASGI connection scope into a request."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from garrison.model.http.request import NONE, Request, repeated

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Scope

__all__ = ["ScopeRequest"]


_TOLD = itemgetter("method", "path", "headers", "raw_path", "query_string", "scheme", "client")
_UNTOLD = {"method": "WS", "raw_path": None, "query_string": b"", "scheme": "http", "client": None}
"""What a server need not tell, and what that means."""


class ScopeRequest(Request):
    """What an ASGI server received; a WebSocket's method is `WS`, as in the policy.

    Written out where `Request(...)` would do: this happens to every request.
    """

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        """Take the parts out of a connection scope."""
        try:
            method, self.path, headers, raw_path, self.query, self.scheme, client = _TOLD(scope)
        except KeyError:
            method, self.path, headers, raw_path, self.query, self.scheme, client = _TOLD({**_UNTOLD, **scope})
        # An HTTP request that calls its method WS must not open what is a WebSocket's.
        self.method = "ws" if method == "WS" and scope["type"] == "http" else method
        self.headers = headers
        self.raw_path = raw_path or b""
        self.peer = client[0] if client else ""
        self.fields = fields = dict(headers)
        self.repeated = NONE if len(fields) == len(headers) else repeated(headers)
