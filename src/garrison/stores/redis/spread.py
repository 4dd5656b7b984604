"""A step whose keys lie in several slots of a cluster, where no script reaches all of them.

It is looked at everywhere first, and spent only where everything would pass. Whoever comes between may still make one
part refuse; then the others are given back. So no limit ever passes too much, a refused step spends nothing, and one
that is overtaken loses at most what comes back between the spending and the giving back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.stores.redis.script import FIGURES
from garrison.stores.redis.slots import slot_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from garrison.stores.redis.script import Step

    Play = Callable[[Sequence[Step]], Awaitable[Sequence[Sequence[int] | BaseException]]]

__all__ = ["spread"]

# Places in the facts of a row, as `script` writes them.
_ALGORITHM, _COST, _MARK = 1, 9, 11


class _Part(NamedTuple):
    """What a step asks in one slot."""

    keys: list[bytes]
    rows: list[tuple[int, tuple[Any, ...]]]
    places: list[int]
    """Of its rows in the step."""

    def step(self, what: str) -> Step:
        """Write it as a step of its own."""
        return self.keys, (what, self.rows)

    def look(self) -> Step:
        """Write it as a look that asks for nothing."""
        return self.keys, ("peek", [(key, (*facts[:_COST], 0, *facts[_COST + 1 :])) for key, facts in self.rows])

    def back(self, held: Sequence[int]) -> Step:
        """Write what gives back what was held: a lease by its number, all else by its instant."""
        at, codes = held[0], held[1::FIGURES]
        rows = [
            (key, facts if facts[_ALGORITHM] == "concurrency" else (*facts[:_MARK], at, 0))
            for (key, facts), code in zip(self.rows, codes, strict=True)
            if code == 1 and facts[_COST]
        ]
        return self.keys, ("release", rows)


async def spread(step: Step, play: Play) -> list[int]:
    """Play a step part by part; gives its figures, as one script would.

    Args:
        step: What is to be done.
        play: Plays steps of one slot each, and gives figures or a fault for each of them.

    Raises:
        BaseException: A fault of a part. What the others spent was given back, if they could be reached.
    """
    keys, (what, rows) = step
    parts = _parted(keys, rows)
    if what not in {"take", "peek"}:
        _sound(await play([part.step(what) for part in parts]))
        return []
    said = _sound(await play([part.step("peek") for part in parts]))
    if what == "take" and all(map(_passes, said)):
        said = await _taken(parts, play)
    if not all(map(_passes, said)):
        said = await _unspent(parts, said, play)
    return _joined(parts, said, len(rows))


def _parted(keys: Sequence[bytes], rows: Sequence[tuple[int, tuple[Any, ...]]]) -> list[_Part]:
    """Part a step by slots."""
    parts: dict[int, _Part] = {}
    for place, (number, facts) in enumerate(rows):
        key = keys[number]
        part = parts.setdefault(slot_of(key), _Part([], [], []))
        if key not in part.keys:
            part.keys.append(key)
        part.rows.append((part.keys.index(key), facts))
        part.places.append(place)
    return list(parts.values())


async def _taken(parts: Sequence[_Part], play: Play) -> list[Sequence[int]]:
    """Spend every part, and give all of it back where one refuses or fails."""
    held = await play([part.step("hold") for part in parts])
    spent = [
        part.back(figures)
        for part, figures in zip(parts, held, strict=True)
        if not isinstance(figures, BaseException) and _passes(figures[1:])
    ]
    returned = await play(spent) if len(spent) < len(parts) else []
    found = _sound(held)
    _sound(returned)
    return [figures[1:] for figures in found]


async def _unspent(parts: Sequence[_Part], said: Sequence[Sequence[int]], play: Play) -> list[Sequence[int]]:
    """Let those that would have passed say what is left, since others refused."""
    free = [number for number, figures in enumerate(said) if _passes(figures)]
    told = list(said)
    for number, left in zip(free, _sound(await play([parts[number].look() for number in free])), strict=True):
        # One that only observes keeps saying that it would have refused.
        told[number] = [
            figure
            for first in range(0, len(left), FIGURES)
            for figure in (said[number] if said[number][first + 2] else left)[first : first + FIGURES]
        ]
    return told


def _joined(parts: Sequence[_Part], said: Sequence[Sequence[int]], count: int) -> list[int]:
    """Put the figures of all parts into the order of the step."""
    joined = [0] * (FIGURES * count)
    for part, figures in zip(parts, said, strict=True):
        for number, place in enumerate(part.places):
            joined[FIGURES * place : FIGURES * (place + 1)] = figures[FIGURES * number : FIGURES * (number + 1)]
    return joined


def _passes(figures: Sequence[int]) -> bool:
    return all(figures[::FIGURES])


def _sound(said: Sequence[Sequence[int] | BaseException]) -> list[Sequence[int]]:
    """Give the figures of all.

    Raises:
        BaseException: The first fault among them.
    """
    found = []
    for each in said:
        if isinstance(each, BaseException):
            raise each
        found.append(each)
    return found
