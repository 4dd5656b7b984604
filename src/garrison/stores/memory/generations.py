"""Where counters in memory live: two generations for each limit, no timer, no thread, no scan, and a bound.

What is touched lives in the young generation; when as much time has passed as any counter of the limit needs
to become as good as new, the young generation becomes the elder and the elder is dropped whole. So an idle
counter vanishes for the price of a comparison.

When there is no room for a new subject, it is not some old counter that is thrown away, which is what a flood
of invented subjects would be for: the new subject is counted together with others, by its network, or by
chance in one of 1,024 counters. A subject that gets a counter of its own later begins with what the shared
one says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from garrison.limits.algorithms import State, carry
from garrison.limits.subject import bounded, coarser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.limits.limit import Limit

__all__ = ["CAPACITY", "FRESH", "Generations", "States", "Table"]

CAPACITY: Final = 524_288
"""Counters over all limits; about 100 MB. One limit has at most half of them."""

FRESH: Final = 0
"""The state of a counter from which nothing was spent; every algorithm reads it so."""

_NETWORKS: Final = 4_096
"""Networks, for each limit, that are counted as one when there is no room."""

_CHANCES: Final = 1_024
"""Counters, for each limit, among which everybody else is shared out by chance."""

_SHORTEST_SPAN: Final = 1_000_000
"""Microseconds that a generation lasts at least."""

_SWEPT: Final = 32
"""Dropped counters freed with each call: to free a whole generation at once would hold one request up for long."""

States: TypeAlias = dict[str, State]


class Table:
    """All counters of the limits that share a `Limit.shape`."""

    __slots__ = ("crowd", "elder", "elder_crowd", "limit", "span", "turn", "young")

    def __init__(self, limit: Limit, now: int) -> None:
        self.limit = limit
        self.young: States = {}
        self.elder: States = {}
        self.crowd: States = {}
        self.elder_crowd: States = {}
        self.span = max(limit.drain, _SHORTEST_SPAN)
        self.turn = now + self.span

    def parts(self) -> tuple[States, States, States, States]:
        """Give every dictionary: own counters first, then shared ones."""
        return self.young, self.elder, self.crowd, self.elder_crowd

    def pop(self, subject: str) -> State | None:
        """Take the counter of a subject out."""
        state = self.young.pop(subject, None)
        return self.elder.pop(subject, None) if state is None else state

    def age(self, now: int) -> list[States]:
        """Begin a new generation, and give back what nobody has touched for as long as it needs to drain."""
        gone = [self.elder, self.elder_crowd]
        self.elder, self.elder_crowd = self.young, self.crowd
        if now >= self.turn + self.span:
            gone += [self.elder, self.elder_crowd]
            self.elder, self.elder_crowd = {}, {}
        self.young, self.crowd = {}, {}
        self.turn = now + self.span
        return [states for states in gone if states]


class Generations:
    """Every table of a store, and the room they share. Not safe for threads: the store holds its lock."""

    __slots__ = ("_dropped", "_families", "_most", "_next_turn", "_room", "_tables", "due", "hot")

    def __init__(self, capacity: int) -> None:
        self.hot: dict[str, dict[str, int]] = {}
        """The young counters of those rates that forgive one unit per microsecond, by `Limit.shape`."""
        self.due = 0
        """Instant at which `tidy` has something to do."""
        self._tables: dict[str, Table] = {}
        """By `Limit.shape`."""
        self._families: dict[str, list[Table]] = {}
        """By `Limit.key`."""
        self._dropped: list[States] = []
        self._room = capacity
        self._most = max(capacity // 2, 1)
        self._next_turn = 0

    def live(self) -> int:
        """Count everything that is in memory."""
        return sum(len(states) for states in self._all())

    def table(self, limit: Limit, now: int) -> Table:
        """Find or make the table of a limit."""
        table = self._tables.get(limit.shape)
        if table is None:
            table = self._tables[limit.shape] = Table(limit, now)
            self._families.setdefault(limit.key, []).append(table)
            self._next_turn = min(self._next_turn or table.turn, table.turn)
            self.due = 0 if self._dropped else self._next_turn
            self._heat(table)
        return table

    def find(self, table: Table, subject: str, now: int, keep: bool) -> tuple[States, str, State]:
        """Find where a subject is counted, and what it says.

        Args:
            table: The table of the limit.
            subject: As asked for; of any length.
            now: Microseconds of the store's clock.
            keep: Whether to make a place for a subject that has none.

        Returns:
            The dictionary, the key in it, and the state.
        """
        state = table.young.get(subject)
        if state is not None:
            return table.young, subject, state
        key = bounded(subject)
        state = table.young.get(key)
        if state is None:
            state = table.elder.pop(key, None)
            if state is None:
                state = self._of_sibling(table, key, now)
            if state is None:
                return self._place(table, key, keep)
            table.young[key] = state
        return table.young, key, state

    def forget(self, subject: str) -> None:
        """Drop what is counted for one subject alone; what it shares is not its own to drop."""
        key = bounded(subject)
        for table in self._tables.values():
            self._room += table.pop(key) is not None

    def holding(self, limit: Limit, subject: str) -> Iterator[tuple[States, str]]:
        """List every place where a subject may be counted."""
        key = bounded(subject)
        for table in self._families.get(limit.key, ()):
            for states in table.parts():
                for name in (key, *_shared_keys(key)):
                    if name in states:
                        yield states, name

    def tidy(self, now: int) -> None:
        """Free some of what was dropped, and let those tables age whose time has come."""
        for _ in range(_SWEPT):
            if not self._dropped:
                break
            self._dropped[-1].popitem()
            self._room += 1
            if not self._dropped[-1]:
                self._dropped.pop()
        if now >= self._next_turn:
            for table in self._tables.values():
                if now >= table.turn:
                    self._dropped += table.age(now)
                    self._heat(table)
            self._forsake()
            self._next_turn = min((table.turn for table in self._tables.values()), default=0)
        self.due = 0 if self._dropped else self._next_turn

    def _forsake(self) -> None:
        """Drop tables that count nobody, so that limits that are gone leave nothing behind."""
        for shape, table in list(self._tables.items()):
            if not any(table.parts()):
                del self._tables[shape]
                self.hot.pop(shape, None)
                self._families[table.limit.key].remove(table)

    def _heat(self, table: Table) -> None:
        """Let the store reach the counters that are asked for most without the table."""
        if table.limit.algorithm == "rate" and table.limit.refill == 1:
            # A rate's states are integers, whatever the type of all states together says.
            self.hot[table.limit.shape] = cast("dict[str, int]", table.young)

    def _of_sibling(self, table: Table, key: str, now: int) -> State | None:
        """Take over what was counted before the numbers of the limit changed."""
        for sibling in self._families[table.limit.key]:
            if sibling is not table and (state := sibling.pop(key)) is not None:
                return carry(state, sibling.limit, table.limit, now)
        return None

    def _place(self, table: Table, key: str, keep: bool) -> tuple[States, str, State]:
        """Choose where to count a new subject: by itself while there is room, else with others."""
        own = self._room > 0 and len(table.young) + len(table.elder) < self._most
        home: States = table.young
        state: State = FRESH
        if table.crowd or table.elder_crowd or not own:
            shared, state = self._share(table, key)
            home, key = (home, key) if own else (table.crowd, shared)
        if keep and key not in home:
            home[key] = state
            self._room -= 1
        return home, key, state

    def _share(self, table: Table, key: str) -> tuple[str, State]:
        """Find the shared counter of a subject: its network's if that is counted or may be, else one by chance."""
        crowd, network, chance = table.crowd, *_shared_keys(key)
        for name in (network, chance):
            if name in table.elder_crowd and name not in crowd:
                crowd[name] = table.elder_crowd.pop(name)
        state = crowd.get(network, crowd.get(chance, FRESH))
        return (network if network and (network in crowd or len(crowd) < _NETWORKS) else chance), state

    def _all(self) -> Iterator[States]:
        yield from self._dropped
        for table in self._tables.values():
            yield from table.parts()


def _shared_keys(key: str) -> tuple[str, str]:
    """Name the counters a subject may share: its network's, if it has one, and one of the rest.

    Python salts `hash`, so nobody can choose whose company to keep.
    """
    return coarser(key), f"*{hash(key) % _CHANCES}"
