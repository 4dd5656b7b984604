"""News: what one process ended and every other must hear of within a second.

A revoked key, an ended session, a block, a new policy: whoever commits one adds a `news` record to the same
commit. Every process reads the latest news each 0.4 s, or is told by a bus, and drops what it remembered.
What is remembered counts only while the news is proved fresh; a process that heard nothing for a second asks
the store instead, so a lost bus or a stalled poll never lets a revoked credential live on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakMethod

from garrison.model.units import HOUR, MILLISECOND, SECOND
from garrison.stores.protocols import Kind, Put, Record

if TYPE_CHECKING:
    from garrison.stores.protocols import Records

__all__ = ["FRESH", "KEPT", "NEWS", "OVERLAP", "POLL", "Item", "Listener", "News"]

POLL = 400 * MILLISECOND
"""Microseconds between two polls."""

FRESH = SECOND
"""Microseconds for which news counts as fresh: the bound on how long a revoked credential can pass."""

OVERLAP = 5 * SECOND
"""Microseconds that a poll reaches back behind the last one, for writers whose clock or commit is late."""

KEPT = HOUR
"""Microseconds a news record is kept."""


class Item(Record, frozen=True, kw_only=True):
    """One piece of news."""

    id: str
    """Sorts by time: microseconds in hexadecimal, then randomness."""

    topic: str
    """`key`, `token`, `session`, `subject`, `block`, `policy`."""

    value: str
    """What it is about: the id of a key, a principal."""

    until: int
    """When the record may be cleaned up, wall microseconds."""


NEWS = Kind(name="news", struct=Item, expires="until")

Listener: TypeAlias = Callable[[str, int], None]
"""Called with the value and the instant of the news, wall microseconds."""


class News:
    """What this process has heard, and since when it is sure of it."""

    def __init__(self, *, alone: bool = False) -> None:
        """Begin with nothing heard.

        Args:
            alone: The records live in this process only, so that nobody else can make news.
        """
        self._alone = alone
        self._proved = -FRESH
        self._last = 0
        """Wall microseconds at the last poll, as if nobody had set the clock since the first."""

        self._polled = 0
        self._deaf = False
        self._seen: dict[str, int] = {}
        self._listeners: dict[str, list[WeakMethod[Listener]]] = {}

    def listen(self, topic: str, listener: Listener) -> None:
        """Call the listener for every piece of news on a topic, for as long as it lives.

        Args:
            topic: What to listen for.
            listener: A bound method. Only a weak reference is kept: what a former policy listened with is gone
                with it.
        """
        self._listeners.setdefault(topic, []).append(WeakMethod(listener))

    def fresh(self, monotonic: int) -> bool:
        """Tell whether what is remembered may be used without asking the store."""
        return self._alone or (monotonic - self._proved < FRESH and not self._deaf)

    def step(self, topic: str, value: str, now: int, tail: str) -> Put:
        """Make the step to add to the commit that ends something.

        Args:
            topic: What kind of thing ended.
            value: Its public name.
            now: Wall microseconds.
            tail: A few random characters, so that no two items share an id.
        """
        # A clock that was set back would file it where everybody else has read already.
        at = max(now, self._last)
        return Put(NEWS, Item(id=f"{at:016x}{tail}", topic=topic, value=value, until=at + KEPT))

    def tell(self, topic: str, value: str, now: int) -> None:
        """Hand a piece of news to this process's own listeners at once."""
        for reference in self._listeners.get(topic, ()):
            listener = reference()
            if listener is not None:
                listener(value, now)

    async def poll(self, records: Records, wall: int, monotonic: int) -> None:
        """Read what is new and tell the listeners.

        Args:
            records: The store that holds the news.
            wall: Wall microseconds, before the read.
            monotonic: Monotonic microseconds, before the read: freshness counts from here.

        Raises:
            StoreError: The store could not answer; freshness then runs out by itself.
        """
        last = min(self._last or wall, wall)
        if wall - last > KEPT - OVERLAP:
            # What we missed may be cleaned up already: from now on the store is asked, always.
            self._deaf = True
        after = f"{max(0, last - OVERLAP):016x}"
        while items := await records.find(NEWS, "", "", after, 100):
            for item in items:
                self._hear(item)
            after = items[-1].id
        self._seen = {name: at for name, at in self._seen.items() if at >= last - 2 * OVERLAP}
        self._proved = monotonic
        # A clock that was set forward must not step over what others, whose clocks are right, are about to write.
        self._last = self._last + monotonic - self._polled if self._last else wall
        self._polled = monotonic

    def _hear(self, item: Item) -> None:
        if item.id not in self._seen:
            at = int(item.id[:16], 16)
            self._seen[item.id] = at
            self.tell(item.topic, item.value, at)
