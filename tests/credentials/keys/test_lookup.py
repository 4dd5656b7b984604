"""The careful way to a key: what exists is known, what is overtaken is read again, every answer costs a MAC."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from garrison.credentials.api_key import RELOAD
from garrison.credentials.key_format import KeyFormat
from garrison.credentials.key_record import KEYS
from garrison.credentials.keys import lookup as lookup_module
from garrison.credentials.keys.cache import KeyCache
from garrison.credentials.keys.hot import Proved, Unproved
from garrison.credentials.keys.lookup import TRIES, Lookup
from garrison.credentials.keys.mac import KeyMacs
from garrison.guard.drive import drive
from garrison.model.http.request import Request
from garrison.stores.news import News
from garrison.stores.protocols import Drop, Kind
from tests.credentials.world import HOUR, MINUTE, SECOND, Counting, World


def _found(world: World, text: str) -> Unproved:
    found = world.keys.find(Request("GET", "/", [(b"x-api-key", text.encode())]))
    assert isinstance(found, Unproved)
    return found


def test_every_id_that_exists_is_learnt_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that is not learnt would be refused unread."""
    monkeypatch.setattr(lookup_module, "PAGE", 2)
    world = World()
    texts = [world.make().text for _ in range(5)]
    late = Lookup(world.records, world.ring, News(), KeyCache(9, frozenset().__contains__), None)
    drive(late.load())
    gone = world.make()

    answers = [drive(late.prove(_found(world, text), world.clock.wall(), fresh=True)) for text in texts]

    assert [type(answer) for answer in answers] == [Proved] * 5
    world.records.gets.clear()
    assert drive(late.prove(_found(world, gone.text), world.clock.wall(), fresh=True)) == "key_unknown"
    assert world.records.gets == [], "made behind its back"
    assert isinstance(drive(late.prove(_found(world, gone.text), world.clock.wall(), fresh=False)), Proved)


class Restless(Counting):
    """A store that news comes from whenever something is read."""

    news: News | None = None

    async def get(self, kind: Kind, key: str) -> Any:
        read = await super().get(kind, key)
        if self.news is not None:
            self.news.tell("key", key, 1)
        return read


def test_what_news_keeps_overtaking_is_answered_and_not_remembered() -> None:
    """Three reads, and no loop that whoever changes a key could keep going."""
    world = World(face=Restless)
    assert isinstance(world.records, Restless)
    text = world.make().text
    world.heat(text)
    world.news.tell("key", text.split("_")[3][:10], 1)
    world.records.news = world.news

    assert world.reason(text) == ""
    assert len(world.records.gets) == TRIES == 3
    assert not world.keys.lookup.cache.proved


class Doubting(Counting):
    """A store during whose answers news is missed."""

    lookup: Lookup | None = None

    async def find(self, *asked: Any) -> Any:
        if self.lookup is not None:
            self.lookup.doubt()
        return await super().find(*asked)


def test_ids_that_were_read_while_news_was_missed_are_not_all_there_are() -> None:
    """They are read again, a minute later."""
    world = World(face=Doubting)
    assert isinstance(world.records, Doubting)
    world.records.lookup = world.keys.lookup
    world.tend()
    assert not world.keys.lookup.sure
    world.records.lookup = None

    for after, sure in ((RELOAD - 1, False), (1, True)):
        world.clock.advance(after)
        world.hear()
        world.tend()
        assert world.keys.lookup.sure is sure


def test_ids_are_not_learnt_while_news_is_missed() -> None:
    world = World()
    world.clock.advance(SECOND)
    world.tend()
    assert not world.keys.lookup.sure

    world.hear()
    world.tend()
    assert world.keys.lookup.sure


class Counted(KeyMacs):
    """Counts the proofs it is asked for."""

    asked = 0

    def proves(self, raw: bytes, mac: bytes, pepper: str) -> bool:
        self.asked += 1
        return super().proves(raw, mac, pepper)


@pytest.mark.parametrize("why", ["", "key_unknown", "key_wrong_secret", "key_row_forged", "key_revoked", "key_expired"])
def test_every_answer_costs_one_mac(why: str) -> None:
    """Else time would tell which ids exist."""
    world = World()
    issued = world.make(expires_in="1h")
    id, now = issued.record.id, world.clock.wall()
    if why == "key_unknown":
        assert drive(world.store.commit([Drop(KEYS, id)])).done
    if why == "key_wrong_secret":
        issued = issued._replace(text=KeyFormat("grsn").make("sk", issued.record.secrets[0].id, Random(7).randbytes))
    if why == "key_row_forged":
        world.tamper(id, scopes=("admin:*",))
    if why == "key_revoked":
        drive(world.service.revoke(id, world.by()))
    if why == "key_expired":
        now += HOUR
    world.keys.lookup.macs = counted = Counted(world.ring)
    raw = issued.text.encode()
    found = Unproved("key", issued.text.split("_")[3], "", None, raw, b"d")

    answer = drive(world.keys.lookup.prove(found, now, fresh=True))

    assert (answer if isinstance(answer, str) else "") == why
    assert counted.asked == 1


def test_a_hot_key_is_read_again_after_a_minute() -> None:
    """Whatever news says: it bounds what a lost piece of news can do."""
    world = World()
    text = world.make().text
    world.heat(text)

    for after, reads in ((MINUTE - 1, 0), (1, 1)):
        world.clock.advance(after)
        world.news._proved = world.clock.monotonic()
        assert world.reason(text) == ""
        assert len(world.records.gets) == reads


def test_a_key_ends_at_its_instant_however_hot() -> None:
    """By its own end, and by that of the secret alone."""
    world = World()
    short, rotated = world.make(expires_in="30s"), world.make()
    drive(world.service.rotate(rotated.record.id, world.by(), 30 * SECOND))
    for text in (short.text, rotated.text):
        world.heat(text)

    for after, reason in ((30 * SECOND - 1, ""), (1, "key_expired")):
        world.clock.advance(after)
        world.news._proved = world.clock.monotonic()
        assert [world.reason(text) for text in (short.text, rotated.text)] == [reason, reason]
