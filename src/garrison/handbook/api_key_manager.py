"""Row 1 of the chapter: API keys that are made, validated, counted and revoked.

What is stored is a keyed hash in a sealed row; a key is found by its public id, and the work is the same for keys
that exist and keys that do not. `check_rate_limit` only looks; `track_usage` spends, in one step, and says whether
it fitted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from garrison.credentials.api_key import ApiKeys
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, KeyService
from garrison.credentials.keys.hot import compiled
from garrison.credentials.protocol import Presented
from garrison.crypto.ring import KeyRing
from garrison.errors import UsageError
from garrison.handbook.twoway import both_ways, both_ways_or
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from garrison.policy.plan import Plan
from garrison.policy.route import METHODS, parse_route
from garrison.policy.schema import Keys
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.credentials.key_record import KeyRecord
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Counters, Records

__all__ = ["APIKeyManager"]

_ANY: Final = Plan(route="GET /", template="/")
_ALL: Final = "|".join(METHODS)
_PER_HOUR: Final = "at most {} in 1h per key"


class APIKeyManager:
    """Keys for programs, each with a limit per hour and, if wanted, endpoints of its own.

    Every method is called at once, or awaited as `method.aio(...)`.
    """

    def __init__(
        self,
        *,
        records: Records | None = None,
        counters: Counters | None = None,
        ring: KeyRing | None = None,
        clock: Clock | None = None,
        randomness: Randomness = os.urandom,
    ) -> None:
        """Keep keys in a store; in memory, under a root key that ends with the process, when left out.

        Args:
            records: Where keys are stored.
            counters: Where their uses are counted.
            ring: Root keys; a store that outlives the process needs its own.
            clock: Wall time for expiry.
            randomness: Where secrets come from.

        Raises:
            UsageError: A store without a ring: after a restart no key in it could be proved.
        """
        if records is not None and ring is None:
            msg = "a store needs a key ring that outlives the process: ring=KeyRing([root])"
            raise UsageError(msg)
        self._clock = clock or SystemClock()
        self._counters = MemoryCounters(self._clock) if counters is None else counters
        roots = ring or KeyRing([randomness(32)])
        # A store of others makes no news here, so what is remembered is never trusted: every use asks it.
        news = News(alone=records is None)
        store = MemoryRecords(self._clock, roots.key("audit-chain")) if records is None else records
        policy = Keys(most_per_owner=10**9)
        self._keys = ApiKeys(store, roots, news, policy, "api")
        self._service = KeyService(store, roots, news, policy, randomness)

    @both_ways
    async def generate_api_key(
        self,
        name: str,
        expires_days: int | None = None,
        rate_limit: int = 1000,
        allowed_endpoints: Sequence[str] | None = None,
    ) -> tuple[str, str]:
        """Make a key.

        Args:
            name: What people call it, 1 to 64 characters.
            expires_days: How long it lives; None: until it is revoked.
            rate_limit: Uses in an hour, at least 1.
            allowed_endpoints: Paths such as `/reports/{id}`, or routes such as `GET /reports`; None: all.

        Returns:
            Its id, and the key itself: the one time that it is seen.

        Raises:
            UsageError: A name, number or path that cannot be; the text says which.
        """
        order = NewKey(
            name=name,
            expires_in="" if expires_days is None else f"{expires_days}d",
            routes=tuple([_route(endpoint) for endpoint in allowed_endpoints or ()]),
            limits=(_PER_HOUR.format(rate_limit),),
        )
        if (allowed_endpoints is not None and not allowed_endpoints) or expires_days == 0:
            msg = "a key for no endpoint, or for no time, is of no use; None means: all, and for ever"
            raise UsageError(msg)
        issued = await self._service.create(order, self._by())
        if isinstance(issued, Refusal):
            told = "; ".join(f"{each['path']} {each['text']}" for each in issued.members.get("errors", ()))
            raise UsageError(told or issued.reason)
        return issued.record.id, issued.text

    @both_ways_or(None)
    async def validate_api_key(self, key: str) -> dict[str, Any] | None:
        """Tell what a key is good for; None for one that is unknown, wrong, expired or revoked alike.

        Returns:
            `key_id`, `name`, `created_at` and `expires_at` (seconds since 1970; None: never), `rate_limit`,
            `remaining_requests` and `allowed_endpoints` (None: all).
        """
        request = Request("GET", "/", [(b"x-api-key", key.encode("utf-8", "surrogatepass"))])
        found = self._keys.find(request)
        if not isinstance(found, Presented):
            return None
        now, monotonic = self._clock.wall(), self._clock.monotonic()
        believed = await self._keys.believe(found, request, "", _ANY, now, monotonic)
        # Whoever is told that the key is not for this route has proved to hold it.
        if isinstance(believed, Refusal) and believed.reason != "key_route":
            return None
        id = believed.credential if isinstance(believed, Principal) else believed.subject
        record = await self._living(id.removeprefix("key:"))
        return None if record is None else await self._told(record)

    @both_ways_or(False)
    async def revoke_api_key(self, key_id: str) -> bool:
        """End a key; False when there is none, or none any more."""
        return not isinstance(await self._service.revoke(key_id, self._by()), Refusal)

    @both_ways_or(False)
    async def track_usage(self, key_id: str, endpoint: str) -> bool:
        """Spend one use of a key for an endpoint.

        Returns:
            Whether it fitted; False as well for a dead key, and for an endpoint that it is not for.
        """
        record = await self._living(key_id)
        if record is None or not _is_for(record, endpoint):
            return False
        verdicts = await self._counters.take(compiled(record, None, 0).asks)
        return all(verdict.allowed for verdict in verdicts)

    @both_ways_or(False)
    async def check_rate_limit(self, key_id: str) -> bool:
        """Tell whether one more use would fit; spends nothing. False for a dead key."""
        record = await self._living(key_id)
        if record is None:
            return False
        verdicts = await self._counters.peek(compiled(record, None, 0).asks)
        return all(verdict.allowed for verdict in verdicts)

    async def _living(self, id: str) -> KeyRecord | None:
        record = await self._keys.lookup.stored(id)
        if record is None or record.status != "active" or 0 < record.expires <= self._clock.wall():
            return None
        return record

    async def _told(self, record: KeyRecord) -> dict[str, Any]:
        (ask,) = compiled(record, None, 0).asks
        (verdict,) = await self._counters.peek([ask._replace(cost=0)])
        return {
            "key_id": record.id,
            "name": record.name,
            "created_at": record.created / 1_000_000,
            "expires_at": record.expires / 1_000_000 if record.expires else None,
            "rate_limit": ask.limit.count,
            "remaining_requests": verdict.remaining,
            "allowed_endpoints": [_endpoint(route) for route in record.routes] or None,
        }

    def _by(self) -> By:
        return By(OPERATOR, self._clock.wall())


def _route(endpoint: str) -> str:
    """Write a path as a route of every method; a route stays what it is."""
    return endpoint if " " in endpoint else f"{_ALL} {endpoint}"


def _endpoint(route: str) -> str:
    return route.removeprefix(f"{_ALL} ")


def _is_for(record: KeyRecord, endpoint: str) -> bool:
    """Tell whether a key is for an endpoint: a path, which may stand under several methods, or one route."""
    if not record.routes or endpoint in record.routes:
        return True
    return any(
        endpoint in (found.template, *(f"{method} {found.template}" for method in found.methods))
        for found in map(parse_route, record.routes)
    )
