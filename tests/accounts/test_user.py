"""Accounts as records: found in any spelling, unique in all of them, rights never older than the news."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.accounts.user import MOST_REMEMBERED, USERS, User, UserOwners, find_login, fold_email, fold_name, public
from garrison.credentials.protocol import Owner
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import FRESH, News
from garrison.stores.protocols import Put
from tests.accounts.world import NOON, World


@pytest.mark.parametrize(("one", "other"), [("Ada", "aDA"), ("ada", "ａｄａ"), ("straße", "STRASSE"), ("ﬁn", "fin")])
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "ADA@EXAMPLE.ORG"),
        ("ada@exämple.org", "ada@xn--exmple-cua.org"),
        ("ada@exämple.org", "ADA@EXÄMPLE.ORG"),
        ("ａda@example.org", "ada@example.org"),
    ],
)
def test_spellings_of_one_address(one: str, other: str) -> None:
    """A-label or Unicode, small or large: one account (ASVS 5.0 6.3)."""
    assert fold_email(one) == fold_email(other)


@given(st.text(max_size=400))
def test_folding_takes_any_text_and_folds_once(text: str) -> None:
    """A text that folds to another each time would be found under one name and stored under the other."""
    assert fold_name(fold_name(text)) == fold_name(text)
    assert fold_email(fold_email(text)) == fold_email(text)


def test_an_endless_address_is_folded_by_its_beginning() -> None:
    """What nobody could have registered is not read, only counted."""
    assert len(fold_email("ß" * 100_000 + "@example.org")) <= 2 * 254


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org", "Ada@Example.ORG"])
def test_a_person_is_found_by_name_and_address(login: str) -> None:
    world = World()
    user = world.put_user("ada")
    fold = fold_email if "@" in login else fold_name

    assert asyncio.run(find_login(world.records, fold(login))) == user


@pytest.mark.parametrize("login", ["", "bob", "ada@", "@", "ada@example.com", "\ud800", "a\x00"])
def test_nobody_else_is_found(login: str) -> None:
    world = World()
    world.put_user("ada")

    assert asyncio.run(find_login(world.records, fold_email(login) if "@" in login else fold_name(login))) is None


def test_the_store_refuses_a_second_of_one_name() -> None:
    """Unique by the store, not by looking first: of two that race, one wins."""
    world = World()
    user = world.put_user("ada")
    twin = msgspec.structs.replace(user, id="other", version=0, email_key="x@example.org")

    outcome = asyncio.run(world.records.commit([Put(USERS, twin)]))

    assert (outcome.done, outcome.condition) == (False, "unique:name_key")


def test_what_a_person_sees_of_the_account() -> None:
    """Neither hash nor devices."""
    user = World().put_user("ada", scopes=("tasks:read",), password="$garrison1$m=1,t=1,p=1$x")

    assert public(user) == {
        "id": "id-ada",
        "username": "ada",
        "email": "ada@example.org",
        "scopes": ["tasks:read"],
        "created_at": "2027-01-15T08:00:00Z",
    }


class Owners:
    """The owners over a store that counts its reads."""

    def __init__(self) -> None:
        self.world = World()
        self.news = News()
        self.reads = 0
        self.owners = UserOwners(self, self.news, self.world.clock.monotonic)  # type: ignore[arg-type]  # owners ask nothing but `get`
        self.on_read: Callable[[], object] = int
        self.poll()

    def poll(self) -> None:
        clock = self.world.clock
        asyncio.run(self.news.poll(self.world.records, clock.wall(), clock.monotonic()))

    async def get(self, kind: Any, key: str) -> Any:
        self.reads += 1
        found = await self.world.records.get(kind, key)
        self.on_read()
        return found

    def change(self, user: User, **fields: Any) -> User:
        step = Put(USERS, msgspec.structs.replace(user, **fields))
        outcome = asyncio.run(self.world.records.commit([step]))
        stored: User = outcome.records[0]
        return stored

    def ask(self, principal: str = "user:id-ada") -> Owner | None:
        return asyncio.run(self.owners.owner(principal))


def test_an_owner_is_read_once_while_the_news_is_fresh() -> None:
    it = Owners()
    it.world.put_user("ada", scopes=("tasks:read",), epoch=3)

    assert [it.ask() for _ in range(5)] == [Owner(frozenset({"tasks:read"}), True, 3)] * 5
    assert it.reads == 1


def test_stale_news_means_asking_the_store() -> None:
    """A lost bus must not keep a disabled account alive."""
    it = Owners()
    user = it.world.put_user("ada")
    it.ask()
    it.change(user, active=False)

    it.world.clock.advance(FRESH)

    assert it.ask() == Owner(frozenset(), False, 0)


def test_news_of_a_person_is_heard_at_once() -> None:
    it = Owners()
    user = it.world.put_user("ada")
    it.ask()
    it.change(user, active=False)

    it.news.tell("subject", "user:id-ada", NOON)

    assert it.ask() == Owner(frozenset(), False, 0)


def test_a_read_that_news_overtook_is_not_remembered() -> None:
    """The cache must not be filled with what was true before the news."""
    it = Owners()
    user = it.world.put_user("ada")

    def overtake() -> None:
        it.on_read = lambda: None
        it.news.tell("subject", "user:id-ada", NOON)

    it.on_read = overtake
    it.ask()
    it.change(user, active=False)

    assert it.ask() == Owner(frozenset(), False, 0)


@pytest.mark.parametrize("principal", ["user:nobody", "service:id-ada", "id-ada", "user:id-ada:other", "user:", ""])
def test_nobody_owns_under_another_name(principal: str) -> None:
    """Kind, issuer and tenant count: a foreign issuer's subject is not ours."""
    it = Owners()
    it.world.put_user("ada")

    assert it.ask(principal) is None


def test_memory_is_bounded() -> None:
    """Tokens of endless subjects must not fill it."""
    it = Owners()

    async def flood() -> None:
        for number in range(MOST_REMEMBERED + 10):
            await it.owners.owner(f"service:{number}")

    asyncio.run(flood())

    assert len(it.owners._known) <= MOST_REMEMBERED


def test_the_kind_fits_every_store() -> None:
    assert isinstance(World().records, MemoryRecords)
    assert USERS.unique == ("name_key", "email_key")
