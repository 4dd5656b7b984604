"""Attack: use a refresh token that was used before, or use one twice at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.accounts.api import Api, sqlite
from tests.accounts.world import World, Yielding


def test_a_replayed_token_ends_the_session_of_thief_and_owner() -> None:
    """Nobody can tell which is which (RFC 9700 section 4.14.2); the owner logs in again, the thief cannot."""
    world = World()
    world.register()
    stolen = world.login().json["refresh_token"]
    thief = world.call("refresh", {"refresh_token": stolen}).json

    owner = world.call("refresh", {"refresh_token": stolen})

    assert (owner.status, owner.reason) == (401, "refresh_reused")
    assert not world.believed(thief["token"])
    assert world.call("refresh", {"refresh_token": thief["refresh_token"]}).status == 401
    assert world.events("authn_token_reuse")[0].severity == "critical"


def test_of_twenty_at_once_at_most_one_is_answered_and_none_lives_on() -> None:
    world = World(records=lambda clock: Yielding(clock, bytes(32)))
    world.register()
    token = world.login().json["refresh_token"]

    async def race() -> list[int]:
        calls = [world.calling("refresh", {"refresh_token": token}) for _ in range(20)]
        return [answer.status for answer in await asyncio.gather(*calls)]

    statuses = asyncio.run(race())

    assert sorted(statuses) == [200] + [401] * 19
    assert world.call("refresh", {"refresh_token": token}).status == 401


def test_refused_refreshes_are_answered_alike() -> None:
    """Unknown, used, ended and disabled: one public answer."""
    world = World()
    world.register()
    used = world.login().json["refresh_token"]
    world.call("refresh", {"refresh_token": used})
    ended = world.login().json
    world.call("logout", token=ended["token"])
    guess = used[:-4] + "AAAA"

    answers = [world.call("refresh", {"refresh_token": token}) for token in (guess, "x", used, ended["refresh_token"])]

    assert {answer.status for answer in answers} == {401}
    assert all(answer.public == answers[0].public for answer in answers)


def test_a_replay_after_a_restart_is_still_a_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = Api(sqlite(tmp_path), hash_memory=7, hash_passes=5)
    token = before.register("ada").json["refresh_token"]
    following = before.send("POST", "/auth/refresh", {"refresh_token": token}).json
    before.runtime.close()

    after = Api(sqlite(tmp_path), before.clock)

    assert after.send("POST", "/auth/refresh", {"refresh_token": token}).status == 401
    assert after.send("POST", "/auth/refresh", {"refresh_token": following["refresh_token"]}).status == 401
    assert not after.passes(following["token"])
    after.runtime.close()


def test_an_expired_token_beside_a_refresh_does_not_refuse_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients send their old access token with everything; refreshing is what they do because it has expired."""
    monkeypatch.chdir(tmp_path)
    api = Api()
    tokens = api.register("ada").json
    api.clock.advance(16 * 60_000_000)
    assert not api.passes(tokens["token"])

    again = api.send("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}, token=tokens["token"])

    assert again.status == 200
    assert api.passes(again.json["token"])
