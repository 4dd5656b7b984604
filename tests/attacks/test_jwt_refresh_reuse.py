"""A refresh token is stolen, guessed, raced, replayed, planted or revived (RFC 9700 section 4.14)."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest
from msgspec.structs import replace

from garrison.crypto.ring import KeyRing
from garrison.errors import TokenError
from garrison.guard.drive import drive
from garrison.stores.protocols import Drop, Put
from garrison.tokens.refresh import REFRESH_FAMILIES, Family
from tests.tokens.test_refresh import Logins
from tests.tokens.world import reason


def test_a_token_used_twice_ends_the_family_and_the_session() -> None:
    """Thief first or owner first: neither keeps anything."""
    logins = Logins()
    stolen = logins.login()
    owners = logins.rotate(stolen).token
    access = logins.process.issue(session="s1")
    assert logins.process.answer(access) == "ada"

    assert logins.answer(stolen) == "refresh_reused"

    assert logins.answer(owners) == "refresh_unknown"
    assert logins.answer(stolen) == "refresh_unknown"
    assert logins.process.answer(access) == "revoked"
    assert [event.severity for event in logins.deployment.events("authn_token_reuse")] == ["critical"]


@pytest.mark.parametrize("age", [1, 2, 10])
def test_any_token_of_the_past_is_recognised(age: int) -> None:
    """Not only the last one, and without keeping a row of each."""
    logins = Logins()
    tokens = [logins.login()]
    for _ in range(10):
        tokens.append(logins.rotate(tokens[-1]).token)

    assert logins.answer(tokens[-1 - age]) == "refresh_reused"
    assert logins.answer(tokens[-1]) == "refresh_unknown"


def test_a_guess_under_a_known_public_name_ends_nothing() -> None:
    """Else anybody who saw the name in a log could log the owner out."""
    logins = Logins()
    token = logins.login()
    head, _, secret = token.rpartition("_")
    guesses = [f"{head}_{'0' * 43}", f"{head[:-1]}1_{secret}", f"{head[:-6]}zzzzzz_{secret}", f"{head}_{secret[::-1]}"]

    assert [logins.answer(guess) for guess in guesses] == ["refresh_unknown"] * 4
    assert logins.answer(token) == "ada"


@pytest.mark.parametrize("racers", [2, 16])
def test_of_those_who_race_exactly_one_wins_and_then_the_family_is_ended(racers: int) -> None:
    """Threads that all hold the same token, released together."""
    logins = Logins()
    token = logins.login()
    start = threading.Barrier(racers)
    answers: list[str] = []

    def race() -> None:
        start.wait(10)
        answers.append(logins.answer(token))

    threads = [threading.Thread(target=race) for _ in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert answers.count("ada") == 1
    assert set(answers) <= {"ada", "refresh_reused", "refresh_unknown"}
    assert "refresh_reused" in answers
    assert logins.families() == []


def test_a_race_in_a_loop_has_one_winner_too() -> None:
    """Both read the family before either writes: only the version in the commit tells them apart."""
    logins = Logins()
    token = logins.login()
    records = logins.process.records
    gate = asyncio.Event()

    class Slow:
        """A store whose answers arrive late, as over a network."""

        def __getattr__(self, name: str) -> Any:
            return getattr(records, name)

        async def get(self, kind: Any, key: str) -> Any:
            found = await records.get(kind, key)
            await gate.wait()
            return found

    logins.tokens._records = Slow()

    async def one() -> str:
        try:
            return (await logins.tokens.rotate(token, logins.process.now, os.urandom)).family.subject
        except TokenError as error:
            return error.reason

    async def both() -> list[str]:
        tasks = [asyncio.create_task(one()) for _ in range(2)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*tasks)

    assert sorted(asyncio.run(both())) == ["ada", "refresh_reused"]
    assert logins.families() == []


def test_no_successor_is_stored_after_the_family_was_ended() -> None:
    """Logout comes between reading the family and writing the next token."""
    logins = Logins()
    token = logins.login()
    records = logins.process.records

    class LoggedOutMeanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(records, name)

        async def commit(self, steps: Any, events: Any = ()) -> Any:
            await records.commit([Drop(REFRESH_FAMILIES, steps[0].record.id)])
            return await records.commit(steps, events)

    logins.tokens._records = LoggedOutMeanwhile()

    assert logins.answer(token) == "refresh_unknown"
    assert logins.families() == []


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "admin"},
        {"owner": "user:admin"},
        {"scope": "admin:all"},
        {"tenant": "other"},
        {"session": "other"},
        {"client": "other"},
        {"epoch": 99},
        {"until": 2**53},
        {"methods": ("otp",)},
        {"authenticated_at": 2**53},
    ],
    ids=str,
)
def test_a_row_that_somebody_changed_has_no_right_token(change: dict[str, Any]) -> None:
    """A writer of the store makes their own family another's, or gives it more."""
    logins = Logins()
    token = logins.login(scopes=["notes:read"])
    family: Family = logins.families()[0]
    assert drive(logins.process.records.commit([Put(REFRESH_FAMILIES, replace(family, **change))])).done

    assert logins.answer(token, client=str(change.get("client", ""))) == "refresh_unknown"


def test_a_planted_row_has_no_token_that_its_writer_could_make() -> None:
    """Without the root key; here with another one."""
    logins, attacker = Logins(), Logins(ring=KeyRing([bytes(range(9, 60))]))
    planted = attacker.tokens.begin("admin", "s", attacker.process.now, os.urandom)
    family = replace(planted.family, root=logins.tokens._ring.current)
    assert drive(logins.process.records.commit([Put(REFRESH_FAMILIES, family)])).done

    assert logins.answer(planted.token) == "refresh_unknown"


def test_a_restored_backup_revives_no_spent_token() -> None:
    """The row is put back to an earlier number: the newer token is genuine and unknown to it, and ends it all."""
    logins = Logins()
    first = logins.login()
    backup = logins.families()[0]
    second = logins.rotate(first).token
    stored = logins.families()[0]
    assert drive(logins.process.records.commit([Put(REFRESH_FAMILIES, replace(backup, version=stored.version))])).done

    assert logins.answer(second) == "refresh_reused"
    assert logins.answer(first) == "refresh_unknown"


def test_a_thief_with_another_client_is_noticed_too() -> None:
    """A used token is a used token, whoever presents it."""
    logins = Logins()
    stolen = logins.login(client="web")
    owners = logins.rotate(stolen, client="web").token

    assert logins.answer(stolen, client="thief") == "refresh_reused"
    assert logins.answer(owners, client="web") == "refresh_unknown"


def test_the_answer_to_a_dead_family_is_the_answer_to_one_that_never_was() -> None:
    """Nothing to learn from it."""
    logins = Logins()
    token = logins.login()
    drive(logins.tokens.end(token, logins.process.now, os.urandom))

    assert logins.answer(token) == logins.answer(f"grsn_rt_{'a' * 18}_{'a' * 43}") == reason(lambda: "refresh_unknown")
