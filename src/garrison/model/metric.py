"""Figures about a running process, as whatever collects them wants to have them told.

Names, kinds and units follow Prometheus: base units, `_total` for what only grows. A label never holds a subject:
whoever makes up addresses or keys must not be able to make up series.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Metric", "MetricKind", "Sample"]

MetricKind: TypeAlias = Literal["counter", "gauge"]


class Sample(NamedTuple):
    """One value."""

    value: float
    labels: tuple[tuple[str, str], ...] = ()
    """Names and values of the labels, always in the same order."""


class Metric(NamedTuple):
    """One figure with its samples."""

    name: str
    """`garrison_…`, letters, digits and underscores; a counter ends with `_total`."""

    kind: MetricKind
    help: str
    """What it says, in one line."""

    samples: tuple[Sample, ...]
