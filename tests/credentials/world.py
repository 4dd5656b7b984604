"""A small world for tests of credentials: a clock moved by hand, a memory store that counts, one process or more."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from garrison.credentials.api_key import ApiKeys
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_record import KEYS, KeyRecord, KeyRow
from garrison.credentials.key_service import OPERATOR, By, Issued, KeyService
from garrison.credentials.protocol import Owner, Owners
from garrison.crypto.ring import KeyRing
from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from garrison.policy.plan import Plan
from garrison.policy.schema import Keys
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News
from garrison.stores.protocols import Kind, Outcome, Put, Step
from garrison.testing.clock import START, ManualClock

ROOT, OLD_ROOT = random.Random(1).randbytes(32), random.Random(2).randbytes(32)
ADDRESS = "192.0.2.7"
PLAN = Plan(route="GET /notes/{id}", template="/notes/{id}")
ADA = Principal(subject="ada", scopes=frozenset(("notes:read", "notes:write")))
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


class Counting:
    """A store's face that notes what is asked, and can be made to fail."""

    def __init__(self, records: MemoryRecords) -> None:
        self.inner = records
        self.gets: list[tuple[str, str]] = []
        self.commits: list[tuple[Step, ...]] = []
        self.down = False

    async def get(self, kind: Kind, key: str) -> Any:
        self._up()
        self.gets.append((kind.name, key))
        return await self.inner.get(kind, key)

    async def find(self, kind: Kind, index: str, value: str, after: str = "", limit: int = 100) -> Sequence[Any]:
        self._up()
        return await self.inner.find(kind, index, value, after, limit)

    async def commit(self, steps: Sequence[Step], events: Sequence[Any] = ()) -> Outcome:
        self._up()
        self.commits.append(tuple(steps))
        return await self.inner.commit(steps, events)

    async def sweep(self, limit: int = 1_000) -> int:
        return await self.inner.sweep(limit)

    def _up(self) -> None:
        if self.down:
            raise StoreError("down")


class Gated(Counting):
    """A store over a slow line: what was read waits at a gate before it arrives."""

    def __init__(self, records: MemoryRecords) -> None:
        super().__init__(records)
        self.gate: asyncio.Event | None = None
        self.read = asyncio.Semaphore(0)

    async def get(self, kind: Kind, key: str) -> Any:
        read = await super().get(kind, key)
        if self.gate is not None:
            self.read.release()
            await self.gate.wait()
        return read


class People:
    """Owners as accounts would know them."""

    def __init__(self, *owners: tuple[str, Owner]) -> None:
        self.owners = dict(owners)
        self.asked = 0

    async def owner(self, principal_id: str) -> Owner | None:
        self.asked += 1
        return self.owners.get(principal_id)


class World:
    """One process with its keys, and further ones over the same store."""

    clock: ManualClock
    store: MemoryRecords
    policy: Keys

    def __init__(
        self,
        *,
        policy: Keys | None = None,
        owners: Owners | None = None,
        ring: KeyRing | None = None,
        beside: World | None = None,
        face: type[Counting] = Counting,
    ) -> None:
        self.clock = beside.clock if beside else ManualClock()
        self.store = beside.store if beside else MemoryRecords(self.clock, bytes(32))
        self.records = face(self.store)
        self.ring = ring or KeyRing([ROOT])
        self.policy = policy or (beside.policy if beside else Keys())
        self.news = News()
        self.random = random.Random(5 if beside else 3)
        self.keys = ApiKeys(self.records, self.ring, self.news, self.policy, "notes", owners)
        self.service = KeyService(self.records, self.ring, self.news, self.policy, self.random.randbytes)
        self.hear()

    def hear(self) -> None:
        """Poll the news."""
        drive(self.news.poll(self.records, self.clock.wall(), self.clock.monotonic()))
        self.records.gets.clear()

    def by(self, actor: Principal = OPERATOR) -> By:
        return By(actor, self.clock.wall(), ADDRESS, "c1")

    def make(self, owner: Principal | None = None, **order: Any) -> Issued:
        """Have the operator make a key."""
        issued = drive(self.service.create(NewKey(**{"name": "demo", **order}), self.by(), owner))
        assert isinstance(issued, Issued), issued
        return issued

    def ask(
        self, text: str, *, address: str = ADDRESS, plan: Plan = PLAN, method: str = "GET", **headers: str
    ) -> Principal | Refusal:
        """Present a key in `X-API-Key`, and use it when it is believed."""
        lines = [(b"x-api-key", text.encode("latin-1"))]
        lines += [(name.encode(), value.encode()) for name, value in headers.items()]
        return self.judge(Request(method, "/notes/7", lines), address=address, plan=plan)

    def heat(self, text: str, **further: Any) -> None:
        """Present a key until it is hot: what comes once is not kept."""
        for _ in range(2):
            assert self.reason(text, **further) == ""
        assert self.keys.lookup.cache.proved
        self.records.gets.clear()

    def judge(self, request: Request, *, address: str = ADDRESS, plan: Plan = PLAN) -> Principal | Refusal:
        """Run the steps the guard runs."""
        presented = self.keys.find(request)
        assert presented is not None
        if isinstance(presented, Refusal):
            return presented
        now, monotonic = self.clock.wall(), self.clock.monotonic()
        believed = drive(self.keys.believe(presented, request, address, plan, now, monotonic))
        if isinstance(believed, Refusal):
            return believed
        refusal = drive(self.keys.spend(believed))
        if refusal is None:
            self.keys.used(believed, now)
        return refusal or believed

    def reason(self, text: str, **further: Any) -> str:
        """Present a key and give the reason against; empty when it was believed."""
        answer = self.ask(text, **further)
        return answer.reason if isinstance(answer, Refusal) else ""

    def tend(self) -> None:
        drive(self.keys.tend(self.clock.wall(), self.clock.monotonic()))

    def row(self, id: str) -> KeyRow:
        row: KeyRow = drive(self.store.get(KEYS, id))
        return row

    def stored(self, id: str) -> KeyRecord:
        record = self.keys.lookup.macs.open(self.row(id))
        assert isinstance(record, KeyRecord)
        return record

    def tamper(self, id: str, **fields: Any) -> None:
        """Change a row as somebody with the database but without the root key could."""
        row = self.row(id)
        facts = msgspec.msgpack.encode(replace(self.stored(id), **fields))
        outcome = drive(self.store.commit([Put(KEYS, replace(row, facts=facts))]))
        assert outcome.done


__all__ = [
    "ADA",
    "ADDRESS",
    "DAY",
    "HOUR",
    "MINUTE",
    "OLD_ROOT",
    "OPERATOR",
    "PLAN",
    "ROOT",
    "SECOND",
    "START",
    "Counting",
    "Gated",
    "People",
    "World",
]
