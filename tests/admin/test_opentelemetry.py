"""The same figures through the OpenTelemetry SDK."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from garrison.opentelemetry import instrument
from tests.guard.world import World


def test_a_reader_of_the_application_s_own_collects_every_figure() -> None:
    world, reader = World(), InMemoryMetricReader()
    instrument(world.runtime, MeterProvider([reader]).get_meter("test"))
    for _ in range(3):
        world.ask("GET /open")
    for header in (world.key("notes:read"), world.key("notes:write")):
        world.ask("POST /echo", header)

    data = reader.get_metrics_data()

    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    points: dict[str, Any] = {metric.name: list(metric.data.data_points) for metric in scope.metrics}
    refused = {point.attributes["code"]: point.value for point in points["garrison_refusals"]}
    assert refused == {"limit_exceeded": 1, "scope_missing": 1}
    assert set(points) == {metric.name.removesuffix("_total") for metric in world.runtime.metrics() if metric.samples}
