"""A policy at work in memory, and requests put to its guard without any adapter."""

from __future__ import annotations

from typing import Any

from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.guard.decision import Decision
from garrison.guard.drive import drive
from garrison.guard.guard import Guard
from garrison.model.event import Event
from garrison.model.http.request import Header, Request
from garrison.model.principal import Principal
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose
from garrison.testing.clock import ManualClock

__all__ = ["HOST", "ORIGIN", "POLICY", "World", "asked"]

HOST = (b"host", b"api.example.com")
ORIGIN = (b"origin", b"https://app.example.com")

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[defaults]
limit = "1000/s per principal"
cors = "web"

[cors.web]
origins = ["https://app.example.com"]

[caps]
body = "1KiB"
header_bytes = "4KiB"
header_count = 20
query = "64B"
path = "128B"

[routes]
"GET /open" = { public = true, limit = "2/m per address" }
"GET /free" = { public = true, limit = "9/m per tenant", cors = "none" }
"GET|OPTIONS /plain" = { scopes = [] }
"GET /notes/{number}" = { scopes = ["notes:read"], own = true }
"POST /echo" = { scopes = ["notes:write"] }
"GET /twice" = { scopes = ["notes:read"], limit = ["2/m per principal", "9/m per key"] }
"GET /paid" = { limit = ["7/m per address", "9/m per principal"] }
"GET /alone" = { limit = "1 at once per principal" }
"GET /both" = { credentials = { all = ["key", "jwt"] }, limit = "9/m per principal" }
"DELETE /fresh" = { require = { fresh = "5m" } }
"GET /strong" = { require = { methods = ["otp"] } }
"GET /watched" = { scopes = ["notes:admin"], mode = "observe" }
"POST /watched" = { mode = "observe" }
"POST /login" = { public = true, sets_cookie = true }
"WS /live" = { scopes = [] }
"""


class World:
    """One process, whose time stands still."""

    def __init__(self, policy: str = POLICY, authenticate: Any = None, environment: str = "development") -> None:
        self.clock = ManualClock()
        self.runtime: Runtime = compose(load(policy, environment), clock=self.clock, authenticate=authenticate)
        self.guard: Guard = self.runtime.driven

    def decide(self, request: Request) -> Decision:
        """Put a request to the guard."""
        return drive(self.guard.decide(request))

    def ask(self, target: str, *headers: Header, **parts: Any) -> Decision:
        """Ask for `GET /path`."""
        return self.decide(asked(target, *headers, **parts))

    def key(self, *scopes: str, **order: Any) -> Header:
        """Make a key, as a header."""
        return (b"x-api-key", self.issued(*scopes, **order).text.encode())

    def issued(self, *scopes: str, **order: Any) -> Issued:
        """Make a key of ada's."""
        owner = Principal(subject="ada", scopes=frozenset(scopes))
        new = NewKey(**{"name": "n", "scopes": scopes, **order})
        issued = drive(self.runtime.driven_side.keys.create(new, self.by, owner))
        assert isinstance(issued, Issued), issued
        return issued

    def token(self, *scopes: str, subject: str = "ada", **facts: Any) -> Header:
        """Issue a token, as a header."""
        issuer = self.runtime.driven_side.trust.issuer
        issued = issuer.issue(subject, self.clock.wall(), self.runtime.randomness, scopes=scopes, **facts)
        return (b"authorization", b"Bearer " + issued.token.encode())

    @property
    def by(self) -> By:
        """The operator, now."""
        return By(OPERATOR, self.clock.wall())

    def recorded(self) -> list[Event]:
        """List what was recorded since the last time."""
        waiting = self.runtime.record._waiting
        events = list(waiting)
        waiting.clear()
        return events


def asked(target: str, *headers: Header, **parts: Any) -> Request:
    """Write a request: a method and a path, to the right host unless told otherwise."""
    method, _, path = target.partition(" ")
    lines = headers if any(name == b"host" for name, _ in headers) else (HOST, *headers)
    return Request(method, path, list(lines), **{"raw_path": path.encode(), "peer": "192.0.2.1", **parts})
