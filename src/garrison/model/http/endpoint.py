"""An endpoint of Garrison's own: login, refresh, key rotation, JWKS.

Each package with endpoints exports `ENDPOINTS`; `garrison.runtime` merges them into the plans, so they are
guarded by the same path as the user's routes, and the guard runs them after the last step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.http.response import Response
from garrison.model.principal import Principal

__all__ = ["Call", "Endpoint"]


class Call(Struct, frozen=True, kw_only=True):
    """One request to an endpoint, after every check of the guard has passed."""

    request: Request
    principal: Principal
    address: str
    """Client address, after trusted proxies."""

    now: int
    """Wall microseconds, read once for the whole call."""

    correlation: str
    """Goes into every event of the call."""

    parameters: Mapping[str, str] = {}
    """What the path template caught."""

    body: Any = None
    """The decoded body: an instance of the endpoint's `body`, or None."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One row: where it stands, what it demands, what it does."""

    name: str
    """Its name in the policy and in the docs: `login`."""

    method: str
    path: str
    """Template below the mount of its package: `/login`, `/{id}/rotate`."""

    run: Callable[[Call, Any], Awaitable[Response | Refusal]]
    """Does it; the second argument is the package's own service, composed by `garrison.runtime`."""

    body: type | None = None
    """A msgspec struct; the strict decoder fills it or answers 422 with every bad field."""

    query: tuple[str, ...] = ()
    """Names of what it reads from the query; for the documentation of the API."""

    bodiless: bool = False
    """Whether it may be asked without a body; then the call has none."""

    status: int = 200
    """Of its success; for the documentation of the API."""

    refusals: tuple[str, ...] = ()
    """Codes that it refuses with by itself, besides those of its demands; for the documentation of the API."""

    demands: dict[str, Any] = {}
    """The route's demands in the policy's own words: `{"public": True, "limit": "5/s burst 50 per address"}`."""
