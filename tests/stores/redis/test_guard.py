"""A policy that counts on a Redis server: two processes of one deployment count as one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from garrison import PolicyError
from garrison.errors import SecretError
from garrison.guard.decision import Decision
from garrison.guard.drive import drive
from garrison.model.http.request import Request
from garrison.model.units import MINUTE
from garrison.opentelemetry import instrument
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose
from garrison.stores.redis.opened import connection_of
from garrison.testing import ManualClock
from tests.stores.redis.server import serving, socket

POLICY = """
service = "notes"
hosts = ["api.example.com"]
workers = 2
[stores]
records = "sqlite:{folder}/x.db"
counters = "unix://{socket}"
[routes]
"GET /open" = {{ public = true, limit = "at most 9 in 1h per address as {name}" }}
"GET /held" = {{ public = true, limit = "1 at once per address as {name}-held" }}
"""

GONE = """
hosts = ["api.example.com"]
[stores]
records = "sqlite:{folder}/x.db"
counters = "unix://{socket}"
[routes]
"GET /open" = {{ public = true, limit = "at most 9 in 1h" }}
"GET /closed" = {{ public = true, limit = "at most 9 in 1h else closed" }}
"GET /local" = {{ public = true, limit = "at most 9 in 1h else local" }}
"GET /passes" = {{ public = true, limit = "at most 9 in 1h else open" }}
"GET /rate" = {{ public = true, limit = "100/m" }}
"""


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[tuple[Runtime, Runtime]]:
    """Two that share records, a root key and a server."""
    policy = load(POLICY.format(folder=tmp_path, socket=socket(), name=tmp_path.name), "development")
    first, second = compose(policy), compose(policy)
    for worker in (first, second):
        worker.start()
    yield first, second
    for worker in (first, second):
        worker.close()


def asked(worker: Runtime, *, awaited: bool = False, path: str = "/open") -> Decision:
    """Ask one worker."""
    request = Request("GET", path, [(b"host", b"api.example.com")], raw_path=path.encode(), peer="192.0.2.1")
    return asyncio.run(worker.awaited.decide(request)) if awaited else drive(worker.driven.decide(request))


def test_they_count_as_one_both_ways(workers: tuple[Runtime, Runtime]) -> None:
    """In a loop after another, too: each has a connection of its own."""
    outcomes = [asked(worker, awaited=number % 2 == 0).refusal for number in range(6) for worker in workers]

    assert [refusal is None for refusal in outcomes] == [True] * 9 + [False] * 3


def test_a_place_that_one_holds_is_free_when_it_lets_go(workers: tuple[Runtime, Runtime]) -> None:
    first, second = workers
    held = asked(first, path="/held")
    assert (held.refusal, asked(second, path="/held").refusal is None) == (None, False)

    drive(first.driven.release(held))

    assert asked(second, path="/held").refusal is None


@pytest.mark.parametrize("awaited", [True, False])
def test_without_its_server_each_limit_does_what_it_says_and_nothing_passes_unseen(
    tmp_path: Path, *, awaited: bool
) -> None:
    """To pass what cannot be counted would be a way around every limit: fell the server, and guess on."""
    outcomes = {"/open": 429, "/closed": 503, "/local": 200, "/passes": 200}
    with serving() as path:
        worker = compose(load(GONE.format(folder=tmp_path, socket=path), "development"))
        for route in outcomes:
            assert asked(worker, awaited=awaited, path=route).refusal is None
        assert worker.stores()["counters"] == "ok"
    refusals = {route: asked(worker, awaited=awaited, path=route).refusal for route in outcomes}

    assert {route: refusal.status if refusal else 200 for route, refusal in refusals.items()} == outcomes
    assert worker.stores()["counters"] == "failed: counted in records"
    worker.close()


def test_a_server_that_is_back_is_told_what_passed_meanwhile(tmp_path: Path) -> None:
    """By the job; until then nobody asks it."""
    clock = ManualClock()
    with serving() as path:
        worker = compose(load(GONE.format(folder=tmp_path, socket=path), "development"), clock=clock)
        assert asked(worker, path="/rate").refusal is None
    asked(worker, path="/rate")
    clock.advance(MINUTE)
    assert [asked(worker, path="/rate").refusal is None for _ in range(101)] == [True] * 100 + [False]
    worker.counting.heal()
    assert worker.stores()["counters"] != "ok"
    with serving(at=path):
        worker.counting.heal()
        clock.advance(MINUTE)
        assert worker.stores()["counters"] == "ok"
        assert asked(worker, path="/rate").refusal is not None
    worker.close()


def test_what_decided_and_how_long_it_took_is_told(workers: tuple[Runtime, Runtime]) -> None:
    """To a collector, and through OpenTelemetry."""
    worker, reader = workers[0], InMemoryMetricReader()
    instrument(worker, MeterProvider([reader]).get_meter("test"))
    for _ in range(12):
        asked(worker)

    told = {
        (metric.name, sample.labels, sample.part): sample.value
        for metric in worker.metrics()
        for sample in metric.samples
    }
    assert told["garrison_limit_steps_total", (("by", "shared"),), ""] == 10
    assert told["garrison_limit_steps_total", (("by", "denials"),), ""] == 2
    assert told["garrison_counters_call_steps", (), "_sum"] == 10
    assert 0 < told["garrison_counters_call_seconds", (), "_sum"] < 10
    data = reader.get_metrics_data()
    assert data is not None
    names = {metric.name for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    assert {"garrison_counters_call_seconds_bucket", "garrison_counters_call_steps_count"} <= names


def test_the_password_is_read_from_where_the_policy_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("--requirepass", "hush-hush") as path:
        text = POLICY.format(folder=tmp_path, socket=path, name="x")
        policy = load(text.replace("[routes]", 'counters_password = "env:COUNTERS"\n[routes]'), "development")
        with pytest.raises(SecretError, match="COUNTERS"):
            compose(policy)
        monkeypatch.setenv("COUNTERS", "hush-hush")
        worker = compose(policy)
        assert asked(worker).refusal is None
        worker.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hush@localhost",
        "redis://cache.example.com:6379",
        "rediss://a:hush@cache.example.com",
        "redis://localhost/1",
    ],
)
def test_a_url_with_a_password_or_without_tls_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(f'[stores]\ncounters = "{url}"\n[routes]\n"GET /a" = {{ public = true }}', "development")

    assert "hush" not in str(caught.value)


def test_a_url_says_where_to_connect() -> None:
    assert connection_of("unix:///run/redis/s") == {
        "username": None,
        "password": None,
        "unix_socket_path": "/run/redis/s",
    }
    assert connection_of("redis://garrison@[::1]:7000", "x") == {
        "username": "garrison",
        "password": "x",
        "host": "::1",
        "port": 7000,
    }
    tls = connection_of("rediss://cache.example.com")
    assert (tls["host"], tls["port"], tls["ssl"], tls["ssl_check_hostname"]) == ("cache.example.com", 6379, True, True)
