"""What a store promises: records, counters, journal.

Nothing here offers get-then-set: a rule built on it lets two racers through. A change is one `commit` of
steps with their conditions and their audit events, all or none.

The methods are `async def`. A store made for a loop awaits; one made for threads blocks inside and never
suspends, so the same coroutine can be driven without a loop (`garrison.guard.drive`). A store offers both
faces: `Store.awaited()` and `Store.driven()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from garrison.model.event import Event

if TYPE_CHECKING:
    from garrison.limits import Ask, Verdict

__all__ = [
    "Add",
    "Consume",
    "Counters",
    "Drop",
    "Face",
    "Fewer",
    "Head",
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
    "Store",
]


class Record(Struct, frozen=True, kw_only=True):
    """What every stored entity begins with."""

    version: int = 0
    """Counted up by the store at each change; 0: not stored yet. A put of an old version is refused."""


R = TypeVar("R", bound=Record)


class Kind(Struct, frozen=True, kw_only=True):
    """An entity as data, so that a new one costs no code in any store."""

    name: str
    """Table name, `[a-z][a-z_]*`, at most 40 characters; neither `sqlite_…` nor `garrison_…`."""

    struct: type[Record]
    """The record's type; kept as JSON, with a column for each of the fields named below."""

    key: str = "id"
    """The field that names a record; text, never empty."""

    indexes: tuple[str, ...] = ()
    """Fields to find records by; text, empty text is not indexed."""

    unique: tuple[str, ...] = ()
    """Fields (text) of which no two live records share a value that is not empty. Can be found by, too."""

    expires: str = ""
    """Field (wall microseconds, 0: never) from which instant the record is as if absent, and may be cleaned up."""

    group: str = "main"
    """Kinds of one group share a store, so that one commit can span them."""

    durable: bool = True
    """Whether a commit outlives a power cut. False is for usage figures alone: a power cut may take the last
    seconds, a killed process takes nothing."""


class Put(Struct, frozen=True):
    """Store a record if its version is still the stored one (0: nothing is stored under its key).

    Fails as `absent` (something is there), `missing` (nothing is), `version` or `unique:<field>`. A key that was
    dropped and put anew counts from 1 again, so a rule on versions needs keys that are not used twice.
    """

    kind: Kind
    record: Record


class Add(Struct, frozen=True):
    """Add to a whole-number field, in one step and without reading first: usage counts, remaining uses.

    Fails as `missing`, or as `field:<field>` when the sum would be below `least`.
    """

    kind: Kind
    key: str
    field: str
    amount: int
    least: int = 0


class Consume(Struct, frozen=True):
    """Take a record away and return it; fails as `missing` when it is not there, so of two racers one wins."""

    kind: Kind
    key: str
    version: int | None = None
    """Also demand this version; fails as `version`."""


class Drop(Struct, frozen=True):
    """Remove a record if it is there."""

    kind: Kind
    key: str


class Require(Struct, frozen=True):
    """Demand that a record exists and that a field of it has a value: `session_epoch == 3`.

    Fails as `missing` or `field:<field>`. Of the same type, too: `True` is not `1`.
    """

    kind: Kind
    key: str
    field: str
    value: str | int | bool


class Fewer(Struct, frozen=True):
    """Demand that fewer than `than` live records stand under an indexed value; fails as `fewer`."""

    kind: Kind
    index: str
    value: str
    than: int


Step: TypeAlias = Put | Add | Consume | Drop | Require | Fewer
"""One part of a commit. Steps are applied in order; a later one sees what an earlier one did."""


class Outcome(NamedTuple):
    """What became of a commit."""

    done: bool
    """Whether everything was applied and is durable; otherwise nothing was."""

    failed: int = -1
    """Number of the first step whose condition did not hold, counted from 0."""

    condition: str = ""
    """That condition: `absent`, `version`, `missing`, `unique:<field>`, `field:<field>`, `fewer`."""

    records: tuple[Any, ...] = ()
    """What the steps put or added to (with the new version) or consumed, in the order of those steps."""


class Sealed(Struct, frozen=True, kw_only=True):
    """An event as the journal keeps it."""

    sequence: int
    """Counted from 1 without a gap within one chain."""

    writer: str
    """Name of the chain; a store never lets two processes extend one from the same place."""

    event: Event
    mac: str
    """Keyed hash over the one before, the sequence, the writer and the event; hexadecimal."""

    body: bytes
    """The event's JSON, byte for byte as it was hashed."""


class Head(Struct, frozen=True, kw_only=True):
    """Where a chain ends and where it begins, kept apart from the events: shows a tail that was cut off."""

    writer: str
    sequence: int
    """Number of the last event."""

    mac: str
    """Keyed hash of the last event; hexadecimal."""

    base: int
    """Number of the last event that retention removed; 0: none."""

    base_mac: str
    """Keyed hash of that event: what the first one still there is linked to."""

    seal: str
    """Keyed hash over all of the above, so that nobody without the key can set a head back."""


class Query(Struct, frozen=True, kw_only=True):
    """Which events to read; empty fields match everything."""

    code: str = ""
    actor: str = ""
    subject: str = ""
    since: int = 0
    """Wall microseconds, included."""

    until: int = 0
    """Wall microseconds, excluded; 0: no end."""

    limit: int = 100
    newest: bool = False
    """Read backwards, the newest first; `after` then is the one to go back from."""


class Records(Protocol):
    """Entities with their conditions. An implementation passes `garrison.testing.RecordsContract`.

    Every method raises `UsageError` for a call that can never be right: an unknown field or index, a kind
    the store was not opened with, a record that cannot be written as JSON.
    """

    async def get(self, kind: Kind, key: str) -> Any:
        """Read one record, or None when it is absent or expired.

        Raises:
            StoreError: The store could not answer; `UnreadableError` when this one record cannot be read.
        """
        ...

    async def find(self, kind: Kind, index: str, value: str, after: str = "", limit: int = 100) -> Sequence[Any]:
        """List live records under an indexed value, ordered by key (code points), beginning after a key.

        Use `index=""` and `value=""` for all records of the kind.

        Raises:
            StoreError: The store could not answer; `UnreadableError` at the first record that cannot be read, with
                those before it. Nothing is ever left out silently: it could be what ends something.
        """
        ...

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        """Apply every step and append every event, or nothing; durable once it returns done.

        Raises:
            StoreError: The store could not answer; whether it was applied is then unknown.
        """
        ...

    async def sweep(self, limit: int = 1_000) -> int:
        """Remove up to `limit` expired records for good; tells how many. For the clean-up job.

        Raises:
            StoreError: The store could not answer.
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
            UsageError: A cost that is no whole number from 0 up.
        """
        ...

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Tell what `take` would answer, and change nothing."""
        ...

    async def release(self, asks: Sequence[Ask]) -> None:
        """Give back what a concurrency limit holds; each ask carries the `lease` of its verdict."""
        ...

    async def reset(self, subject: str) -> None:
        """Forget everything counted for one subject."""
        ...


class Journal(Protocol):
    """The audit record. An implementation passes `garrison.testing.JournalContract`.

    Whatever enters it passes `garrison.stores.redact` first, by `append` and by `Records.commit` alike.
    """

    async def append(self, events: Sequence[Event]) -> None:
        """Write events behind; security-critical ones go through `Records.commit` with their effect."""
        ...

    async def flush(self) -> None:
        """Wait until everything appended so far is written.

        Raises:
            StoreError: It could not be written; it is kept for the next attempt.
        """
        ...

    async def read(self, query: Query, after: tuple[str, int] = ("", 0)) -> Sequence[Sealed]:
        """Read events in chain order, after a (writer, sequence).

        Raises:
            StoreError: The store could not answer.
        """
        ...

    async def head(self, writer: str) -> Head | None:
        """Read where one chain ends.

        Raises:
            StoreError: The store could not answer.
        """
        ...

    async def heads(self) -> Sequence[Head]:
        """Read where every chain ends, ordered by writer.

        Raises:
            StoreError: The store could not answer.
        """
        ...

    async def trim(self, before: int, limit: int = 1_000) -> int:
        """Remove up to `limit` events older than `before` (wall microseconds) from the beginning of the chains.

        The newest event of a chain always stays. What is left still verifies.

        Returns:
            How many were removed.

        Raises:
            StoreError: The store could not answer.
        """
        ...


class Face(Records, Journal, Protocol):
    """Records and journal of one store, for one way of waiting."""


class Store(Protocol):
    """A store that was opened; `garrison.stores.open.open_records` finds one by its URL."""

    def awaited(self) -> Face:
        """Give the face for a loop: a commit awaits the writer."""
        ...

    def driven(self) -> Face:
        """Give the face for threads: a commit blocks, and nothing ever suspends."""
        ...

    def close(self) -> None:
        """Write what is pending and let go of everything; further calls raise `StoreError`."""
        ...
