"""Garrison's figures as OpenTelemetry metrics, read whenever a reader of the application's own collects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation, get_meter

from garrison.model.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.metrics import CallbackOptions, Meter

    from garrison.model.metric import Metric
    from garrison.runtime.runtime import Runtime

__all__ = ["instrument"]


def instrument(runtime: Runtime, meter: Meter | None = None) -> None:
    """Tell an OpenTelemetry meter every figure that the metrics endpoint has; call it once for a process.

    Args:
        runtime: `Garrison(app, …).runtime`, or `app.state.garrison` once a FastAPI or Starlette application serves.
        meter: Whose instruments they become; that of the global provider when left out.
    """
    meter = meter or get_meter("garrison", VERSION)
    for metric in runtime.metrics():
        make = meter.create_observable_gauge if metric.kind == "gauge" else meter.create_observable_counter
        for part in _parts(metric):
            name = metric.name.removesuffix("_total") + part
            make(name, [partial(_observed, runtime, metric.name, part)], description=metric.help)


def _parts(metric: Metric) -> Sequence[str]:
    """Name the instruments of a metric: an observable one cannot be a histogram, so its parts are counters."""
    return ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)


def _observed(runtime: Runtime, name: str, part: str, _: CallbackOptions) -> Iterator[Observation]:
    for metric in runtime.metrics():
        if metric.name == name:
            for sample in metric.samples:
                if sample.part == part:
                    yield Observation(sample.value, dict(sample.labels))
