"""Units taken in advance: a `fast` limit that is busy asks the shared counters once for many requests.

A lease begins with what one request needs, doubles as long as it is spent in 20 ms, and halves when it ends unspent
after 100 ms. Everything in it was taken from the counter before, so that all processes together never pass more than
the limit; what is not spent in time is lost to the caller, never given twice.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.limits.limit import Verdict
from garrison.model.units import MILLISECOND
from garrison.stores.near.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.limits.limit import Ask, Limit

__all__ = ["LARGEST", "LIFE", "MOST", "SHARE", "SOON", "Leases", "Wish", "largest"]

LIFE: Final = 100 * MILLISECOND
"""Microseconds after which what is left of a lease is lost."""

SOON: Final = 20 * MILLISECOND
"""Microseconds: a lease that is spent sooner was too small."""

LARGEST: Final = 256
"""Units of the largest lease."""

SHARE: Final = 4
"""All processes together hold at most one part in so many of a burst."""

MOST: Final = 20_000
"""Leases of one process."""


class _Lease:
    """What one subject of one limit has here."""

    __slots__ = ("born", "ends", "left", "reset", "rest", "size", "taking")

    def __init__(self) -> None:
        self.left = 0
        """Units not yet spent."""

        self.size = 1
        """Units to take next time."""

        self.born = self.ends = 0
        self.rest = self.reset = 0
        """What the shared counter said remains, and when more of it is back, counted from `born`."""

        self.taking = False
        """Whether some are on the way; whoever comes meanwhile takes for itself alone."""


class Wish(NamedTuple):
    """A step that takes units in advance."""

    asks: tuple[Ask, ...]
    leases: list[_Lease]
    """Which get them, of each ask."""

    more: list[int]
    """How many, of each ask."""


class Leases:
    """Every lease of one process."""

    def __init__(self, processes: int, capacity: int = MOST) -> None:
        """Begin with none.

        Args:
            processes: Most processes that count together.
            capacity: Most leases; one that is forgotten is lost.
        """
        self.told = 0
        """How many steps were spent from here."""

        self._processes = processes
        self._leases: Recent[tuple[str, str], _Lease] = Recent(capacity)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._leases)

    def spend(self, asks: Sequence[Ask], now: int) -> list[Verdict] | None:
        """Spend a whole step from what is here; None: not all of it is.

        Args:
            asks: The step.
            now: Monotonic microseconds.
        """
        return self._spend(asks, now, keep=True)

    def look(self, asks: Sequence[Ask], now: int) -> list[Verdict] | None:
        """Tell what `spend` would give, and spend nothing."""
        return self._spend(asks, now, keep=False)

    def wish(self, asks: tuple[Ask, ...], now: int) -> Wish | None:
        """Give the step to ask for instead, which takes units in advance; then `taken` must follow.

        None where nothing is to be taken in advance, or somebody else is about to.
        """
        # With more added to it, a negative cost would look like one.
        if not _leased(asks) or any(type(ask.cost) is not int or ask.cost < 0 for ask in asks):
            return None
        with self._lock:
            leases = [self._open(ask, now) for ask in asks]
            if any(lease.taking for lease in leases):
                return None
            more = [lease.size - 1 for lease in leases]
            for lease in leases:
                lease.taking = True
            wanted = tuple(ask._replace(cost=ask.cost + units) for ask, units in zip(asks, more, strict=True))
            return Wish(wanted, leases, more)

    def taken(self, wish: Wish, verdicts: Sequence[Verdict], sent: int) -> None:
        """Take in what a wish was told; a lease that was forgotten meanwhile is lost with it.

        Args:
            wish: What was asked.
            verdicts: The answer; empty when there was none.
            sent: Monotonic microseconds before it was sent: a lease lives from there.
        """
        passed = bool(verdicts) and all(verdict.allowed for verdict in verdicts)
        with self._lock:
            for number, (lease, more) in enumerate(zip(wish.leases, wish.more, strict=True)):
                lease.taking = False
                if passed:
                    told = verdicts[number]
                    lease.left = more
                    lease.rest, lease.reset = told.remaining, told.reset_after
                    lease.born, lease.ends = sent, sent + LIFE
                else:
                    # Where little is left, nobody shall hold any of it.
                    lease.size = 1

    def forget(self, subject: str) -> None:
        """Let go of everything that a subject has here."""
        with self._lock:
            for key in self._leases.known():
                if key[0] == subject:
                    self._leases.pop(key)

    def _open(self, ask: Ask, now: int) -> _Lease:
        """Give a lease that needs more, with the size it shall have."""
        key = ask.subject, ask.limit.shape
        lease = self._leases.get(key)
        if lease is None:
            lease = _Lease()
            self._leases.keep(key, lease)
        elif lease.taking:
            pass
        elif lease.left >= ask.cost and now >= lease.ends:
            lease.size = max(lease.size // 2, 1)
        elif now < lease.born + SOON:
            lease.size = min(lease.size * 2, largest(ask.limit, self._processes))
        return lease

    def _spend(self, asks: Sequence[Ask], now: int, *, keep: bool) -> list[Verdict] | None:
        if not _leased(asks):
            return None
        verdicts = []
        with self._lock:
            spent: list[tuple[_Lease, int]] = []
            for subject, limit, cost, _ in asks:
                lease = self._leases.get((subject, limit.shape))
                if lease is None or type(cost) is not int or not 0 <= cost <= lease.left or now >= lease.ends:
                    for other, units in spent:
                        other.left += units
                    return None
                lease.left -= cost
                spent.append((lease, cost))
                reset = max(lease.reset - (now - lease.born), 1)
                verdicts.append(Verdict(True, lease.rest + lease.left, 0, reset))
            if keep:
                self.told += 1
            else:
                for lease, units in spent:
                    lease.left += units
        return verdicts


def largest(limit: Limit, processes: int) -> int:
    """Tell how many units one process may hold of a limit, what it spends at once included."""
    return max(min(LARGEST, limit.burst // (SHARE * processes)), 1)


def _leased(asks: Sequence[Ask]) -> bool:
    """Tell whether a step can be spent without asking: an exact limit in it must be asked anyway.

    So must one that observes: where it would refuse, it says that the step passes, and nothing was taken.
    """
    return bool(asks) and all(ask.limit.counted == "fast" and ask.limit.mode == "enforce" for ask in asks)
