"""Figures about a running process, as whatever collects them wants to have them told.

Names, kinds and units follow Prometheus: base units, `_total` for what only grows. A label never holds a subject:
whoever makes up addresses or keys must not be able to make up series.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Histogram", "Metric", "MetricKind", "Sample", "single"]

MetricKind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Sample(NamedTuple):
    """One value."""

    value: float
    labels: tuple[tuple[str, str], ...] = ()
    """Names and values of the labels, always in the same order."""

    part: str = ""
    """Of a histogram: `_bucket`, whose label `le` tells up to where it counts, `_sum` or `_count`."""


class Metric(NamedTuple):
    """One figure with its samples."""

    name: str
    """`garrison_…`, letters, digits and underscores; a counter ends with `_total`."""

    kind: MetricKind
    help: str
    """What it says, in one line."""

    samples: tuple[Sample, ...]


def single(name: str, kind: MetricKind, help: str, value: float) -> Metric:
    """Make a figure of one value without labels."""
    return Metric(name, kind, help, (Sample(value),))


class Histogram:
    """Counts by size. Not exact where threads add at the very same moment: it is for looking at."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin with nothing counted.

        Args:
            bounds: Up to where each bucket counts, ascending; what is larger has a bucket of its own.
        """
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterator[Sample]:
        """Tell it the way Prometheus does: each bucket with all below it."""
        total = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += count
            yield Sample(total, (("le", "+Inf" if bound == float("inf") else f"{bound:g}"),), "_bucket")
        yield Sample(self._sum, (), "_sum")
        yield Sample(total, (), "_count")
