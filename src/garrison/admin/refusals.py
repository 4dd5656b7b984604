"""How many requests were refused, by what and where: counted when a refusal is noted, never when a request passes."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from garrison.model.metric import Metric, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.model.http.refusal import Refusal

__all__ = ["MOST_SERIES", "Refusals"]

MOST_SERIES = 4_096
"""Series told apart. Routes, codes and limits are the policy's, but a policy may be replaced many times."""

_LIMIT = "limit:"


class _Series(NamedTuple):
    code: str
    route: str
    mode: str


class Refusals:
    """Counts since the process began; safe for threads."""

    __slots__ = ("_counts", "_denials", "_lock")

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: dict[_Series, int] = {}
        self._denials: dict[tuple[str, str], int] = {}
        self._lock = Lock()

    def note(self, refusal: Refusal, route: str, *, observed: bool) -> None:
        """Count one.

        Args:
            refusal: What was refused and why.
            route: As the policy names it; empty when it knows none.
            observed: Whether the request was let on all the same.
        """
        mode = "observe" if observed else "enforce"
        limits = refusal.reason.removeprefix(_LIMIT).split(",") if refusal.reason.startswith(_LIMIT) else ()
        with self._lock:
            series = _Series(refusal.code, route, mode)
            if series not in self._counts and len(self._counts) >= MOST_SERIES:
                series = series._replace(route="other")
            self._counts[series] = self._counts.get(series, 0) + 1
            for limit in limits:
                denial = (limit if len(self._denials) < MOST_SERIES else "other", mode)
                self._denials[denial] = self._denials.get(denial, 0) + 1

    def metrics(self) -> Iterator[Metric]:
        """Tell them all."""
        with self._lock:
            counts, denials = dict(self._counts), dict(self._denials)
        refused = [Sample(count, tuple(zip(_Series._fields, each, strict=True))) for each, count in counts.items()]
        denied = [Sample(count, (("limit", limit), ("mode", mode))) for (limit, mode), count in denials.items()]
        told = "Refusals by code and route; mode observe: the request was let on."
        yield Metric("garrison_refusals_total", "counter", told, tuple(refused))
        yield Metric("garrison_limit_denials_total", "counter", "Denials by the name of the limit.", tuple(denied))
