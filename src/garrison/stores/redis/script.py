"""What is sent to the server, and what it answers: one script that takes whole steps, its keys, its verdicts.

Lua counts in doubles, so every number of it stays below 2**53, where they are exact: `fits` says of which limits
that holds. A key is a keyed hash of the subject, so that whoever reads the server learns of nobody.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b, sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from msgspec import msgpack

from garrison.errors import UsageError
from garrison.limits.limit import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from garrison.limits.limit import Ask, Limit
    from garrison.model.ids import Randomness

__all__ = ["FIGURES", "MOST_DEBT", "Script", "Step", "divided", "figures", "fits", "key", "packed", "play", "verdicts"]

MOST_DEBT: Final = 2**51
"""Largest debt of a rate, a request beyond its burst included (`Limit.full + Limit.unit`): twice that is exact, and
so is an instant of this century with as many microseconds added."""

_ENCODE: Final = msgpack.Encoder().encode
_PARTS: Final = ("rate", "most", "calendar", "concurrency", "step")

FIGURES: Final = 4
"""Numbers of a verdict: 0 refused, 1 passed or 2 would be refused; remaining; retry; reset."""

_SHORT: Final = {"rate": "r", "most": "m", "calendar": "c", "concurrency": "n"}
"""First words of `Limit.key`, shortened so that a subject takes a size class less of the server's memory."""

_tuple: Final = tuple.__new__
"""`_tuple(Verdict, (...))` takes half the time of `Verdict(...)`."""

_ANSWERED: Final = frozenset(("take", "peek", "hold"))

Step = tuple[list[bytes], tuple[Any, ...]]
"""The keys a step is about, and what is to be done; asks name keys by their place in that list, from 0."""


class Script:
    """The text of the script under its name on the server."""

    def __init__(self, instant: Callable[[], int] | None = None) -> None:
        """Read it.

        Args:
            instant: For tests: wall microseconds instead of the server's clock.
        """
        folder, prelude = files(__package__) / "lua", "given" if instant else "now"
        self.text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in (prelude, *_PARTS))
        # The protocol names scripts by SHA-1; nothing is secured by it.
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        self._instant = instant

    def call(self, steps: Sequence[Step]) -> tuple[Any, ...]:
        """Put steps into one call: what stands after the script or its name."""
        keys, told = packed(steps)
        return len(keys), *keys, told, *((str(self._instant()),) if self._instant else ())


def fits(limit: Limit) -> bool:
    """Tell whether the server can count by a limit exactly."""
    return limit.algorithm != "rate" or limit.full + limit.unit <= MOST_DEBT


@lru_cache(maxsize=16_384)
def key(secret: bytes, subject: str) -> bytes:
    """Name the key of a subject; whoever lacks the secret can neither read nor guess whom it counts."""
    name = blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=16, key=secret).hexdigest()
    return b"garrison:{%s}:c" % name.encode()


def play(what: str, asks: Sequence[Ask], secret: bytes, randomness: Randomness) -> tuple[Step, list[int]]:
    """Write a `take`, `peek` or `release`; gives the step, and the leases that it hands out.

    Raises:
        UsageError: A cost that is no whole number from 0 up, or a limit that does not fit.
    """
    keys: dict[bytes, int] = {}
    rows, leases = [], []
    for subject, limit, cost, lease in asks:
        if type(cost) is not int or cost < 0:
            # A negative cost would give quota back to whoever may name one.
            raise UsageError(f"a cost is a whole number from 0 up, not {cost!r}")
        if what != "release":
            lease = int.from_bytes(randomness(8)) >> 1 | 1 if limit.algorithm == "concurrency" else 0
        place = keys.setdefault(key(secret, subject), len(keys))
        rows.append((place, _row(limit, cost) if not lease else _leased(limit, cost, lease)))
        leases.append(lease)
    return (list(keys), (what, rows)), leases


def packed(steps: Sequence[Step]) -> tuple[list[bytes], bytes]:
    """Put steps into one call: the keys of all, and the argument."""
    keys: list[bytes] = []
    told: list[Any] = []
    for own, (what, rows) in steps:
        # Lua counts from 1.
        first = len(keys) + 1
        told.append((what, [(first + place, *facts) for place, facts in rows]))
        keys += own
    return keys, _ENCODE(told)


def figures(reply: bytes) -> list[int]:
    """Read the reply of a call."""
    # Lua cannot tell an empty list from an empty table.
    return list(msgpack.decode(reply))


def divided(steps: Sequence[Step], said: Sequence[int]) -> list[Sequence[int]]:
    """Part the figures of a call by its steps; a `hold` has an instant before its verdicts."""
    parts: list[Sequence[int]] = []
    first = 0
    for _, (what, rows) in steps:
        last = first + (FIGURES * len(rows) + (what == "hold") if what in _ANSWERED else 0)
        parts.append(said[first:last])
        first = last
    return parts


def verdicts(asks: Sequence[Ask], leases: Sequence[int], said: Sequence[int]) -> list[Verdict]:
    """Read what the script says to a step."""
    found = []
    passed = all(said[::FIGURES])
    for ask, lease, code, remaining, retry, reset in zip(asks, leases, *_columns(said), strict=True):
        held = lease if lease and passed and code == 1 and ask.cost else 0
        found.append(_tuple(Verdict, (code > 0, remaining, retry, reset, held)))
    return found


def _columns(said: Sequence[int]) -> Iterator[Sequence[int]]:
    return (said[number::FIGURES] for number in range(FIGURES))


def _leased(limit: Limit, cost: int, lease: int) -> tuple[Any, ...]:
    number = divmod(lease, 2**32) if 0 < lease < 2**63 else (0, 0)
    return (*_row(limit, cost)[:-2], *number)


@lru_cache(maxsize=1024)
def _row(limit: Limit, cost: int) -> tuple[Any, ...]:
    # More than the burst never fits, however much more: so the cost fits a double, too.
    return (*_facts(limit), min(cost, limit.burst + 1), limit.mode == "observe", 0, 0)


@lru_cache(maxsize=1024)
def _facts(limit: Limit) -> tuple[Any, ...]:
    if not fits(limit):
        msg = f"{limit!r} cannot be counted exactly by Redis; use a shorter window, a smaller burst or a rounder count"
        raise UsageError(msg)
    algorithm, _, rest = limit.key.partition(" ")
    return (
        _SHORT[algorithm] + rest,
        limit.algorithm,
        limit.count,
        limit.window,
        limit.burst,
        limit.refill,
        limit.unit,
        limit.slice,
        limit.drain,
    )
