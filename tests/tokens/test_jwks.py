"""The keys of a foreign issuer; storms and poisoning are in `tests/attacks/test_jwt_jwks_storm.py`."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from garrison.crypto.key import Key
from garrison.errors import StoreError, UsageError
from garrison.guard.drive import drive
from garrison.model.http.fetch import Fetched
from garrison.tokens import new_jwk, public_jwk, read_jwk
from garrison.tokens.jwks import BUDGET, COOLDOWN, DOCUMENT_BYTES, KEPT, MAX_AGE, Jwks
from tests.tokens.world import Publisher

URL = "https://accounts.foreign.example/jwks.json"
ONE, TWO = (read_jwk(new_jwk("ES256", os.urandom)) for _ in range(2))
START = 1_000_000_000


def document(*keys: Key) -> bytes:
    return json.dumps({"keys": [public_jwk(key) for key in keys]}).encode()


def started(publisher: Publisher) -> Jwks:
    source = Jwks(URL, publisher)
    drive(source.refresh(START))
    return source


def test_keys_are_fetched_before_they_are_first_used() -> None:
    """And not again for ten minutes."""
    publisher = Publisher(document(ONE))
    source = Jwks(URL, publisher)

    assert source.due(START)
    drive(source.refresh(START))

    assert ONE.kid in source.keys
    assert not source.due(START + MAX_AGE - 1)
    assert source.due(START + MAX_AGE)
    assert publisher.asked == 1


def test_the_same_document_again_is_no_change() -> None:
    """Else every ten minutes all remembered tokens would be forgotten."""
    publisher = Publisher(document(ONE))
    source = started(publisher)
    generation = source.keys.generation

    drive(source.refresh(START + MAX_AGE))
    assert source.keys.generation == generation
    publisher.document = document(ONE, TWO)
    drive(source.refresh(START + 2 * MAX_AGE))

    assert source.keys.generation != generation
    assert TWO.kid in source.keys


@pytest.mark.parametrize("fault", ["down", "status", "size", "nonsense", "empty", "private", "twice"])
def test_a_failed_fetch_changes_nothing_for_a_day(fault: str) -> None:
    """Then the set is used no more: who blocks us must not keep a stolen key alive."""
    publisher = Publisher(document(ONE))
    source = started(publisher)
    publisher.down = fault == "down"
    publisher.status = 500 if fault == "status" else 200
    documents = {
        "size": document(ONE) + b" " * DOCUMENT_BYTES,
        "nonsense": b"<html>",
        "empty": b'{"keys":[]}',
        "private": json.dumps({"keys": [new_jwk("ES256", os.urandom)]}).encode(),
        "twice": document(ONE, ONE),
    }
    publisher.document = documents.get(fault, publisher.document)

    drive(source.refresh(START + MAX_AGE))
    assert ONE.kid in source.keys
    assert source.problem
    drive(source.refresh(START + KEPT - 1))
    assert ONE.kid in source.keys
    with pytest.raises(StoreError, match="not available"):
        drive(source.refresh(START + KEPT + COOLDOWN))
    assert len(source.keys) == 0

    publisher.down, publisher.status, publisher.document = False, 200, document(TWO)
    assert source.due(START + KEPT + 3 * COOLDOWN)
    drive(source.refresh(START + KEPT + 3 * COOLDOWN))
    assert TWO.kid in source.keys
    assert source.problem == ""


def test_after_a_failure_there_is_a_rest() -> None:
    """Without keys nothing can be decided; with them they are used meanwhile."""
    publisher = Publisher(document(ONE))
    publisher.down = True
    source = Jwks(URL, publisher)

    for moment in (0, 1, COOLDOWN - 1):
        with pytest.raises(StoreError):
            drive(source.refresh(START + moment))
    assert publisher.asked == 1
    publisher.down = False
    drive(source.refresh(START + COOLDOWN))
    assert publisher.asked == 2

    publisher.down = True
    drive(source.refresh(START + COOLDOWN + MAX_AGE))
    assert not source.due(START + 2 * COOLDOWN + MAX_AGE - 1)
    assert source.due(START + 2 * COOLDOWN + MAX_AGE)


def test_an_unknown_key_brings_news_if_there_is_any() -> None:
    """After the cooldown."""
    publisher = Publisher(document(ONE))
    source = started(publisher)

    assert not drive(source.missed(START + COOLDOWN - 1))
    assert not drive(source.missed(START + COOLDOWN)), "nothing new"
    publisher.document = document(TWO)
    assert drive(source.missed(START + 2 * COOLDOWN))
    assert publisher.asked == 3


def test_the_budget_is_for_each_hour() -> None:
    """From both sides."""
    publisher = Publisher(document(ONE))
    source = started(publisher)
    hour = 3_600_000_000

    for number in range(1, 3 * BUDGET):
        drive(source.missed(START + number * COOLDOWN))
    assert publisher.asked == 1 + BUDGET
    drive(source.missed(START + COOLDOWN + hour - 1))
    assert publisher.asked == 1 + BUDGET
    drive(source.missed(START + COOLDOWN + hour))
    assert publisher.asked == 2 + BUDGET


def test_who_comes_while_a_fetch_is_under_way_joins_it() -> None:
    """The first tokens after a start, or after a rotation, are not refused for coming second."""
    gate = asyncio.Event()
    asked = 0

    async def fetch(url: str) -> Fetched:
        nonlocal asked
        asked += 1
        await gate.wait()
        return Fetched(200, {}, document(ONE, TWO))

    async def storm() -> list[bool]:
        source = Jwks(URL, fetch)
        tasks = [asyncio.create_task(source.refresh(START)) for _ in range(3)]
        await asyncio.sleep(0)
        assert source.due(START)
        misses = [asyncio.create_task(source.missed(START)) for _ in range(3)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        return await asyncio.gather(*misses)

    assert asyncio.run(storm()) == [True] * 3
    assert asked == 6, "joined through the fetch, which makes one request of all: see `egress`"


@pytest.mark.parametrize(
    ("url", "algorithms"),
    [
        ("http://accounts.foreign.example/jwks.json", ["RS256"]),
        ("file:///jwks.json", ["RS256"]),
        (URL, []),
        (URL, ["HS256"]),
        (URL, ["RS256", "none"]),
    ],
)
def test_a_source_that_could_not_be_trusted_is_refused_at_start(url: str, algorithms: list[str]) -> None:
    """In clear, or with secrets: a published secret is none."""
    with pytest.raises(UsageError):
        Jwks(url, Publisher(b""), algorithms)


@pytest.mark.parametrize(("length", "taken"), [(DOCUMENT_BYTES, True), (DOCUMENT_BYTES + 1, False)])
def test_a_set_is_taken_up_to_its_most_bytes(length: int, taken: bool) -> None:
    publisher = Publisher(document(ONE))
    source = started(publisher)
    publisher.document = document(TWO).ljust(length)
    drive(source.refresh(START + MAX_AGE))

    assert (TWO.kid in source.keys) is taken
