"""Endpoints for whoever runs the service: figures for a collector, fitness for a load balancer.

Neither waits for a store that hangs: fitness is told from what the jobs have seen last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from garrison.admin.exposition import CONTENT_TYPE, exposition
from garrison.model.http.endpoint import Endpoint
from garrison.model.http.response import NO_STORE, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison.model.http.endpoint import Call
    from garrison.model.metric import Metric
    from garrison.policy.schema import Operations

__all__ = ["DETAILS", "Watched", "metrics", "mounts", "ready"]

DETAILS = "admin:health"
"""Scope of whom readiness tells which store fails."""


class Watched(Protocol):
    """What is asked: the runtime."""

    draining: bool
    """Whether the process ends soon, and new requests belong elsewhere."""

    def metrics(self) -> Iterable[Metric]:
        """Tell every figure."""
        ...

    def stores(self) -> Mapping[str, str]:
        """Tell of every store `ok`, or `failed` and what that means."""
        ...


async def metrics(_: Call, watched: Watched) -> Response:
    """Give every figure in the text format of Prometheus."""
    return Response(200, ((b"content-type", CONTENT_TYPE), NO_STORE), exposition(watched.metrics()))


async def ready(call: Call, watched: Watched) -> Response:
    """Tell whether requests may be sent here.

    200 `ready`, 200 `degraded` while a store fails: other processes have the same store, and to take all of them
    out of service would end even what needs no store. 503 `draining` before the process ends.
    """
    stores = watched.stores()
    failing = [name for name, state in stores.items() if state != "ok"]
    status = "draining" if watched.draining else "degraded" if failing else "ready"
    told: dict[str, Any] = {"status": status}
    if call.principal.may(DETAILS):
        told["stores"] = dict(stores)
    return json_response(503 if watched.draining else 200, told)


def mounts(operations: Operations) -> tuple[tuple[str, Endpoint], ...]:
    """Give every row with the place it stands at; the service of each is a `Watched`.

    Args:
        operations: The policy's `[operations]`; what has no place is left out.
    """
    rows = (
        (operations.metrics, "metrics", metrics, {"public": False, "scopes": ("admin:metrics",)}),
        # No limit: one that is counted on a server would take every process out of service when that server is gone.
        (operations.ready, "ready", ready, {"public": True, "scopes": (), "limit": ()}),
    )
    return tuple(
        (place, Endpoint(name=name, method="GET", path="", run=run, demands={**_PLAIN, **demands}))
        for place, name, run, demands in rows
        if place
    )


_PLAIN: dict[str, Any] = {"credentials": ("key", "jwt"), "own": False, "require": {}, "sets_cookie": False}
"""Nothing is inherited: `[defaults]` of a policy is about the application's routes."""
