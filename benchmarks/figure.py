"""Measure ours and a rival's in turn, and compare: the claim is the ratio, never the bare time.

A module `bench_<what>.py` says in its docstring which question it asks, who the rival is and what it does not
measure, and has one function:

    def figures() -> list[Figure]:
        return [figure("one limit, driven", *compare(ours, rival), bar=1 / 4)]

`python -m benchmarks` finds it. Times are process CPU time, so that a busy machine shifts both sides alike;
rounds are interleaved and shuffled, so that a slow second meets both; the median of the rounds counts.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
from collections.abc import Callable, Coroutine
from random import Random
from statistics import median
from time import process_time_ns
from typing import Any, NamedTuple

__all__ = ["Figure", "Medians", "added", "compare", "figure", "import_cpu", "medians", "run"]

Work = Callable[[], object]
"""One piece of work; what it returns is thrown away."""


class Figure(NamedTuple):
    """One line of the table."""

    name: str
    ours: float
    """Microseconds of one call, unless the name says otherwise."""

    rival: float
    ratio: float
    """Ours to the rival's."""

    bar: float
    held: bool
    least: bool = False
    """Whether the ratio must be at least the bar; else at most."""


class Medians(NamedTuple):
    """Microseconds of one call."""

    ours: float
    rival: float


def figure(name: str, ours: float, rival: float, *, bar: float, least: bool = False) -> Figure:
    """Judge a ratio.

    Args:
        name: What was measured, in words that stand alone.
        ours: Our figure.
        rival: The rival's, in the same unit.
        bar: What the ratio must keep: at most that much, or at least.
        least: Whether it is at least.
    """
    ratio = ours / rival
    return Figure(name, ours, rival, ratio, bar, ratio >= bar if least else ratio <= bar, least)


def medians(*works: Work, rounds: int = 25, calls: int = 1_000) -> tuple[float, ...]:
    """Measure several pieces of work in turn.

    Args:
        works: At least one; each is called once before the clock starts.
        rounds: How often each gets its turn.
        calls: Calls in one turn; at least some milliseconds of work, or the clock's grain shows.

    Returns:
        Microseconds of one call, per piece of work.
    """
    for work in works:
        work()
    times: list[list[float]] = [[] for _ in works]
    turns = list(zip(works, times, strict=True))
    # Each finds the processor's caches as the one before has left them, so that nobody has the same one before it
    # every time.
    order = Random(0)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            order.shuffle(turns)
            for work, spent in turns:
                spent.append(_turn(work, calls))
    finally:
        gc.enable()
    return tuple(median(spent) for spent in times)


def compare(ours: Work, rival: Work, *, rounds: int = 25, calls: int = 1_000) -> Medians:
    """Measure ours and the rival's."""
    return Medians(*medians(ours, rival, rounds=rounds, calls=calls))


def added(ours: Work, rival: Work, bare: Work, *, rounds: int = 25, calls: int = 1_000) -> Medians:
    """Measure what ours and the rival's add to the bare work that both contain."""
    with_ours, with_rival, without = medians(ours, rival, bare, rounds=rounds, calls=calls)
    return Medians(with_ours - without, with_rival - without)


def run(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run a coroutine that never waits, without the cost of a loop.

    Raises:
        RuntimeError: It waited for something.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    msg = "the coroutine waited; measure it on a loop"
    raise RuntimeError(msg)


def import_cpu(ours: str, rival: str, *, rounds: int = 11) -> Medians:
    """Measure what importing a module costs a fresh interpreter beyond its own start, in microseconds."""
    spent: dict[str, list[float]] = {f"import {ours}": [], f"import {rival}": [], "pass": []}
    for _ in range(rounds):
        for code, times in spent.items():
            times.append(_child(code))
    bare = median(spent["pass"])
    return Medians(median(spent[f"import {ours}"]) - bare, median(spent[f"import {rival}"]) - bare)


def _turn(work: Work, calls: int) -> float:
    begun = process_time_ns()
    for _ in range(calls):
        work()
    return (process_time_ns() - begun) / calls / 1_000


def _child(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1_000_000
