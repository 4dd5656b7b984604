"""Attack: write into a login what a database, a log or a mail header would take for something else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from garrison.accounts.user import USERS
from garrison.guard.drive import drive
from garrison.stores.protocols import Query
from tests.accounts.api import Api, sqlite
from tests.accounts.world import PASSWORD, World

SPELLS = [
    "' or 1=1--",
    "ada'--",
    'ada" or ""="',
    "ada'; drop table user; --",
    "1; select pg_sleep(10)",
    "ada%",
    "ad_",
    "*",
    "ada\x00",
    "ada\r\nset-cookie: x=1",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "../../etc/passwd",
    "ada)(|(uid=*",
    "\u202eada",
]


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Over a real SQL store."""
    monkeypatch.chdir(tmp_path)
    api = Api(sqlite(tmp_path), hash_memory=7, hash_passes=5)
    api.register("ada")
    return api


@pytest.mark.parametrize("spell", SPELLS)
def test_a_spell_logs_nobody_in(api: Api, spell: str) -> None:
    assert api.login(spell, spell).status == 401
    assert api.login("ada", spell).status == 401

    assert api.login("ada").status == 200
    assert len(drive(api.runtime.driven_side.face.find(USERS, "", ""))) == 1


@pytest.mark.parametrize("spell", SPELLS)
def test_a_spell_is_no_name_and_no_address(spell: str) -> None:
    world = World()
    for field in ("username", "email"):
        body = {"username": "eve", "email": "eve@example.org", "password": PASSWORD, field: f"{spell}'"}
        assert world.call("register", body).status == 422


@pytest.mark.parametrize("half", [b"\xed\xa0\x80", b"\\ud800", b"\xff", b"\x00"])
def test_what_is_no_unicode_is_a_400(api: Api, half: bytes) -> None:
    """Half a surrogate pair, raw or escaped, a byte that is no UTF-8, a bare control character."""
    body = b'{"login": "ada' + half + b'", "password": "' + half + b'"}'

    assert api.send("POST", "/auth/login", body).status == 400


@pytest.mark.parametrize("value", [{"$ne": None}, {"$gt": ""}, ["ada"], [["ada"]], True, 0, None])
def test_an_operator_is_no_text(api: Api, value: object) -> None:
    assert api.login(value, PASSWORD).status == 422
    assert api.login("ada", value).status == 422


def test_what_was_typed_is_nowhere_in_the_journal() -> None:
    """Neither as a forged line nor as the password that somebody typed into the field of the name."""
    world = World()
    world.register()
    typed = "hunter2-in-the-wrong-field"
    refusals = [world.login(typed, typed).refusal, world.login("ada", typed).refusal]

    journal = repr(asyncio.run(world.records.read(Query(limit=1000)))) + repr(refusals)
    assert typed not in journal
    assert PASSWORD not in journal
