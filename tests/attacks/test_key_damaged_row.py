"""Attack: damage one row of the store, so that every key is refused, or this one loses its restrictions."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from garrison.credentials.key_format import check_of
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_record import KEYS, SCHEMES, USES, ForeignScheme, KeyRecord, KeyUse
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.credentials.key_view import KeyView
from garrison.credentials.keys.mac import KeyMacs
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from garrison.stores.protocols import Put, Query
from tests.accounts.api import Api, sqlite
from tests.credentials.world import PLAN

Damage = Callable[[Api, Path, str], str]
"""Damages the row of a key and says how the operator is told."""


def make(api: Api, **order: Any) -> Issued:
    by = By(OPERATOR, api.clock.wall())
    made = drive(api.runtime.driven_side.keys.create(NewKey(name="x", scopes=("tasks:read",), **order), by))
    assert isinstance(made, Issued)
    return made


def update(folder: Path, table: str, change: str, key: str) -> None:
    connection = sqlite3.connect(folder / "records.db")
    with connection:
        connection.execute(f"UPDATE {table} SET body = {change} WHERE key = ?", (key,))
    connection.close()


def no_json(api: Api, folder: Path, id: str) -> str:
    update(folder, "api_key", "'no json'", id)
    return "key_row_unreadable"


def no_row(api: Api, folder: Path, id: str) -> str:
    update(folder, "api_key", "'{}'", id)
    return "key_row_unreadable"


def other_facts(api: Api, folder: Path, id: str) -> str:
    update(folder, "api_key", "json_set(body, '$.facts', 'gA==')", id)
    return "key_row_forged"


def later_release(api: Api, folder: Path, id: str) -> str:
    """Not an attack: the service was set back to a release that lacks a restriction."""
    sealed(api, id, lambda record: {**msgspec.to_builtins(record, builtin_types=(bytes,)), "hours": "8-17"})
    return "key_row_unreadable"


def later_notation(api: Api, folder: Path, id: str) -> str:
    sealed(api, id, lambda record: replace(record, limits=("5 per moon per key",)))
    return ""


def sealed(api: Api, id: str, change: Callable[[KeyRecord], Any]) -> None:
    """Store other facts under a genuine seal."""
    face, macs = api.runtime.driven_side.face, KeyMacs(api.runtime.ring)
    row = drive(face.get(KEYS, id))
    record = macs.open(row)
    assert isinstance(record, KeyRecord)
    facts = msgspec.msgpack.encode(change(record))
    assert drive(face.commit([Put(KEYS, replace(row, facts=facts, seal=macs._seal(macs.pepper, facts)))])).done


DAMAGES = (no_json, no_row, other_facts, later_release, later_notation)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES)
def test_one_key_is_refused_with_an_alarm_and_every_other_works(folder: Path, damage: Damage) -> None:
    api = Api(sqlite(folder))
    keys = [make(api) for _ in range(5)]
    damaged = keys.pop(2)
    reason = damage(api, folder, damaged.record.id) or "key_row_unreadable"
    api.runtime.close()
    api = Api(sqlite(folder), api.clock)
    api.poll()
    side = api.runtime.driven_side
    drive(side.api_keys.tend(api.clock.wall(), api.clock.monotonic()))

    assert side.api_keys.lookup.sure
    assert [api.send("GET", "/tasks", None, field(key)).status for key in keys] == [200] * 4
    refused, unknown = (api.send("GET", "/tasks", None, it) for it in (field(damaged), never_issued(damaged)))
    assert (refused.status, refused.code) == (401, "credential_refused")
    assert refused.seen == unknown.seen
    api.runtime.flush(last=True)
    (told,) = drive(side.face.read(Query(subject=f"key:{damaged.record.id}", newest=True, limit=1)))
    assert (told.event.reason, told.event.severity) == (reason, "critical")
    api.runtime.close()


def field(key: Issued) -> tuple[bytes, bytes]:
    return b"x-api-key", key.text.encode()


def never_issued(like: Issued) -> tuple[bytes, bytes]:
    body = like.text[:-6].replace(like.record.id, "0" * len(like.record.id)).encode()
    return b"x-api-key", body + check_of(body)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_awaited_side_judges_alike(folder: Path, runner: asyncio.Runner, damage: Damage) -> None:
    api = Api(sqlite(folder))
    damaged, other = make(api), make(api)
    damage(api, folder, damaged.record.id)

    async def reasons() -> list[str]:
        keys = api.runtime.awaited_side.api_keys
        found = []
        for each in (damaged, other):
            request = Request("GET", "/tasks", [field(each)])
            presented = keys.find(request)
            assert presented is not None
            assert not isinstance(presented, Refusal)
            now, monotonic = api.clock.wall(), api.clock.monotonic()
            believed = await keys.believe(presented, request, "192.0.2.1", PLAN, now, monotonic)
            found.append(believed.reason if isinstance(believed, Refusal) else "")
        return found

    assert runner.run(reasons()) in (["key_row_unreadable", ""], ["key_row_forged", ""])
    api.runtime.close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_list_names_the_row_and_goes_on_behind_it(folder: Path, damage: Damage) -> None:
    api = Api(sqlite(folder))
    ids = sorted(make(api).record.id for _ in range(5))
    reason = damage(api, folder, ids[2])
    service, by = api.runtime.driven_side.keys, By(OPERATOR, api.clock.wall())

    listed: list[KeyView] = []
    while not isinstance(page := drive(service.list(by, "", listed[-1].id if listed else "", 2)), Refusal) and page:
        listed += page

    assert [key.id for key in listed] == ids
    assert [(key.status, key.reason) for key in listed if key.status != "active"] == (
        [("unreadable", reason)] if reason else []
    )
    api.runtime.close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_operator_removes_it_and_nobody_else(folder: Path, damage: Damage) -> None:
    """Whoever may remove rows by damaging them first must not exist; and no key that can be read goes unmarked."""
    api = Api(sqlite(folder))
    damaged, sound = make(api), make(api)
    reason = damage(api, folder, damaged.record.id)
    side, now = api.runtime.driven_side, api.clock.wall()
    key = Principal(kind="service", subject=damaged.record.id, credential=f"key:{damaged.record.id}")

    refused = [drive(side.keys.remove(damaged.record.id, By(actor, now))) for actor in (Principal(subject="ada"), key)]
    readable = drive(side.keys.remove(sound.record.id, By(OPERATOR, now)))
    removed = drive(side.keys.remove(damaged.record.id, By(OPERATOR, now)))

    assert all(isinstance(answer, Refusal) for answer in refused)
    assert isinstance(readable, Refusal)
    assert readable.reason == "key_readable"
    if reason:
        assert removed == reason
        assert drive(side.face.get(KEYS, damaged.record.id)) is None
    assert [api.send("GET", "/tasks", None, field(it)).status for it in (damaged, sound)] == [401, 200]
    api.runtime.close()


def test_nothing_else_is_done_to_a_key_that_cannot_be_read(folder: Path) -> None:
    """The operator is told why; anybody else that there is no such key of theirs."""
    api = Api(sqlite(folder))
    id = make(api).record.id
    no_json(api, folder, id)
    service, now = api.runtime.driven_side.keys, api.clock.wall()

    missing = drive(service.revoke(id, By(Principal(subject="ada"), now)))
    refused = drive(service.revoke(id, By(OPERATOR, now)))
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.reason) == ("key_unreadable", "key_row_unreadable")
    assert isinstance(missing, Refusal)
    assert missing.code == "not_found"
    api.runtime.close()


def test_a_damaged_figure_does_not_hold_up_the_others(folder: Path) -> None:
    """Uses are written in one step: one that cannot be read begins anew."""
    api = Api(sqlite(folder))
    keys = [make(api) for _ in range(2)]
    side = api.runtime.driven_side
    for _ in range(2):
        assert [api.send("GET", "/tasks", None, field(key)).status for key in keys] == [200] * 2
        drive(side.api_keys.tend(api.clock.wall(), api.clock.monotonic()))
        update(folder, "api_key_use", "'{'", keys[0].record.secrets[0].id)

    assert side.api_keys.uses.recent(keys[0].record.secrets[0].id) is False
    use: KeyUse = drive(side.face.get(USES, keys[1].record.secrets[0].id))
    assert use.count == 2
    api.runtime.close()


def test_one_foreign_scheme_that_cannot_be_opened_shuts_out_no_other_key(folder: Path) -> None:
    """Its HMAC key was sealed under a root that is gone, or damaged."""
    api = Api(sqlite(folder))
    key = make(api)
    scheme = ForeignScheme(id="hmac-sha256:old", sealed="s1.gone.AAAA")
    assert drive(api.runtime.driven_side.face.commit([Put(SCHEMES, scheme)])).done
    api.runtime.close()
    api = Api(sqlite(folder), api.clock)

    assert api.send("GET", "/tasks", None, field(key)).status == 200
    assert api.send("GET", "/tasks", None, (b"x-api-key", b"somebody-elses-key-0001")).status == 401
    api.runtime.close()
