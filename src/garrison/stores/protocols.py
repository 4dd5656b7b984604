"""What a store promises: records, counters, journal.

Nothing here offers get-then-set: a rule built on it lets two racers through. A change is one `commit` of
steps with their conditions and their audit events, all or none.

The methods are `async def`. A store made for a loop awaits; one made for threads blocks inside and never
suspends, so the same coroutine can be driven without a loop (`garrison.guard.drive`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from garrison.limits import Ask, Verdict
from garrison.model.event import Event

__all__ = [
    "Consume",
    "Counters",
    "Drop",
    "Fewer",
    "Journal",
    "Kind",
    "Outcome",
    "Put",
    "Query",
    "Record",
    "Records",
    "Require",
    "Sealed",
    "Step",
]


class Record(Struct, frozen=True, kw_only=True):
    """What every stored entity begins with."""

    version: int = 0
    """Counted up by the store at each put; 0: not stored yet. A put of an old version is refused."""


R = TypeVar("R", bound=Record)


class Kind(Struct, frozen=True, kw_only=True):
    """An entity as data, so that a new one costs no code in any store."""

    name: str
    """Table name, `[a-z][a-z_]*`."""

    struct: type[Record]
    """The record's type; encoded as JSON, but for the fields named below."""

    key: str = "id"
    """The field that names a record; text."""

    indexes: tuple[str, ...] = ()
    """Fields to find records by; text, empty text is not indexed."""

    unique: tuple[str, ...] = ()
    """Fields (text) of which no two live records share a value that is not empty."""

    expires: str = ""
    """Field (wall microseconds, 0: never) after which the record is as if absent, and may be cleaned up."""

    group: str = "main"
    """Kinds of one group share a store, so that one commit can span them."""


class Put(Struct, frozen=True):
    """Store a record if its version is still the stored one (0: nothing is stored under its key)."""

    kind: Kind
    record: Record


class Consume(Struct, frozen=True):
    """Take a record away and return it; fails when it is not there, so of two racers one wins."""

    kind: Kind
    key: str
    version: int | None = None
    """Also demand this version."""


class Drop(Struct, frozen=True):
    """Remove a record if it is there."""

    kind: Kind
    key: str


class Require(Struct, frozen=True):
    """Demand that a record exists and that a field of it has a value: `session_epoch == 3`."""

    kind: Kind
    key: str
    field: str
    value: str | int | bool


class Fewer(Struct, frozen=True):
    """Demand that fewer than `than` live records stand under an indexed value."""

    kind: Kind
    index: str
    value: str
    than: int


Step: TypeAlias = Put | Consume | Drop | Require | Fewer
"""One part of a commit. Steps are applied in order; a later one sees what an earlier one did."""


class Outcome(NamedTuple):
    """What became of a commit."""

    done: bool
    """Whether everything was applied and is durable; otherwise nothing was."""

    failed: int = -1
    """Number of the first step whose condition did not hold, counted from 0."""

    condition: str = ""
    """That condition: `absent`, `version`, `missing`, `unique:<field>`, `field:<field>`, `fewer`."""

    records: tuple[Record, ...] = ()
    """What the steps put (with its new version) or consumed, in the order of the Put and Consume steps."""


class Sealed(Struct, frozen=True, kw_only=True):
    """An event as the journal keeps it."""

    sequence: int
    """Counted from 1 without a gap within one writer."""

    writer: str
    """Whose chain it belongs to; one writer per chain, so that no two processes fork one."""

    event: Event
    mac: str
    """Keyed hash over the one before, the sequence and the event; hexadecimal."""


class Query(Struct, frozen=True, kw_only=True):
    """Which events to read; empty fields match everything."""

    code: str = ""
    actor: str = ""
    subject: str = ""
    since: int = 0
    until: int = 0
    limit: int = 100


class Records(Protocol):
    """Entities with their conditions. An implementation passes `garrison.testing.RecordsContract`."""

    async def get(self, kind: Kind, key: str) -> Any:
        """Read one record, or None when it is absent or expired.

        Raises:
            StoreError: The store could not answer.
        """
        ...

    async def find(self, kind: Kind, index: str, value: str, after: str = "", limit: int = 100) -> Sequence[Any]:
        """List live records under an indexed value, ordered by key, beginning after a key.

        Use `index=""` and `value=""` for all records of the kind.

        Raises:
            StoreError: The store could not answer.
        """
        ...

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        """Apply every step and append every event, or nothing; durable once it returns done.

        Raises:
            StoreError: The store could not answer; whether it was applied is then unknown.
        """
        ...


class Counters(Protocol):
    """Numbers that many callers spend from at once. An implementation passes `garrison.testing.CountersContract`.

    A counter store owns its clock, so that no caller's clock can lock anyone out.
    """

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Spend every ask, or none of them, as one atomic step.

        Raises:
            StoreError: The store could not answer.
        """
        ...

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Tell what `take` would answer, and change nothing."""
        ...

    async def release(self, asks: Sequence[Ask]) -> None:
        """Give back what a concurrency limit holds."""
        ...

    async def reset(self, subject: str) -> None:
        """Forget everything counted for one subject."""
        ...


class Journal(Protocol):
    """The audit record. An implementation passes `garrison.testing.JournalContract`."""

    async def append(self, events: Sequence[Event]) -> None:
        """Write events behind; security-critical ones go through `Records.commit` with their effect."""
        ...

    async def read(self, query: Query, after: tuple[str, int] = ("", 0)) -> Sequence[Sealed]:
        """Read events in chain order, after a (writer, sequence)."""
        ...

    async def head(self, writer: str) -> Sealed | None:
        """Read the last event of a chain as the store remembers it apart from the events."""
        ...
