"""A policy over PostgreSQL: two processes of one deployment know the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from garrison import PolicyError
from garrison.errors import SecretError
from garrison.guard.drive import drive
from garrison.model.http.request import Request
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose
from tests.adapters.world import key_of, revoke
from tests.stores.postgres_server import postgres

POLICY = """
service = "notes"
hosts = ["api.example.com"]
workers = 2
[stores]
records = "{url}"
counters = "records:"
[routes]
"GET /notes" = {{ scopes = ["notes:read"], limit = "at most 9 in 1h per principal" }}
"""


@pytest.fixture
def workers() -> Iterator[tuple[Runtime, Runtime]]:
    """Two that serve one database under one root key."""
    policy = load(POLICY.format(url=postgres().database()), "development")
    first, second = compose(policy), compose(policy)
    for worker in (first, second):
        worker.start()
    yield first, second
    for worker in (first, second):
        worker.close()


def asked(worker: Runtime, key: tuple[str, str], *, awaited: bool) -> str:
    """Ask one worker; gives what became of it."""
    headers = [(b"host", b"api.example.com"), (key[0].encode(), key[1].encode())]
    request = Request("GET", "/notes", headers, raw_path=b"/notes", peer="192.0.2.1")
    decision = asyncio.run(worker.awaited.decide(request)) if awaited else drive(worker.driven.decide(request))
    return decision.refusal.code if decision.refusal is not None else "passed"


@pytest.mark.parametrize("awaited", [True, False])
def test_a_key_made_by_one_is_believed_and_ended_by_the_other(
    workers: tuple[Runtime, Runtime], *, awaited: bool
) -> None:
    first, second = workers
    key = key_of(first, "ada", "notes:read")
    second._poll()
    assert [asked(worker, key, awaited=awaited) for worker in workers] == ["passed"] * 2

    revoke(first, key)
    second._poll()

    assert [asked(worker, key, awaited=awaited) for worker in workers] == ["credential_refused"] * 2


def test_they_count_as_one(workers: tuple[Runtime, Runtime]) -> None:
    key = key_of(workers[0], "ada", "notes:read")
    workers[1]._poll()

    outcomes = [asked(worker, key, awaited=number % 2 == 0) for number in range(6) for worker in workers]

    assert outcomes == ["passed"] * 9 + ["limit_exceeded"] * 3


def test_the_password_is_read_from_where_the_policy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    text = POLICY.format(url=postgres().database())
    with_password = text.replace("[routes]", 'password = "env:DATABASE_PASSWORD"\n[routes]')
    with pytest.raises(SecretError, match="DATABASE_PASSWORD"):
        compose(load(with_password, "development"))
    monkeypatch.setenv("DATABASE_PASSWORD", "hush")
    compose(load(with_password, "development")).close()


def test_one_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(PolicyError) as caught:
        load(POLICY.format(url="postgresql://notes:hush@localhost/notes"), "development")

    assert "hush" not in str(caught.value)
