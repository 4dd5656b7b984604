"""Attack: send passwords so long that hashing them is the work of the server and not of the sender."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.accounts.api import Api
from tests.accounts.world import CountedPool, World

LONG = ["x" * 1025, "é" * 1024, "密" * 400, "x" * 100_000, "e\u0301" * 50_000]


@pytest.mark.parametrize("password", LONG)
def test_a_long_password_is_never_hashed_whole(password: str) -> None:
    """Either it is refused as a body, or its login is refused after the same one hash of nothing."""
    world = World()
    world.register()

    answer = world.login("ada", password)

    assert answer.status in (401, 422)


@pytest.mark.parametrize("password", LONG)
def test_a_long_password_is_not_registered(password: str) -> None:
    """422 before the pool is asked: no hash at all."""
    world = World()

    answer = world.register(password=password)

    assert answer.status == 422
    assert isinstance(world.pool, CountedPool)
    assert world.pool.jobs == 0


def test_no_password_is_ever_cut() -> None:
    """Two long ones that begin alike are two: bcrypt's 72 bytes let the wrong one in."""
    world = World()
    first = "abcdefgh" * 9 + "".join(f"-{n}" for n in range(100))
    assert world.register(password=first).status == 201

    assert world.login("ada", first[:-1]).status == 401
    assert world.login("ada", first + "x").status == 401
    assert world.login("ada", first).status == 200


@pytest.mark.parametrize("size", [1_100_000, 3_000_000])
def test_a_huge_body_is_refused_unread(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    api = Api()

    reply = api.login("ada", "x" * size)

    assert reply.status in (413, 422)
    assert api.runtime.hash_pool.pending == 0
