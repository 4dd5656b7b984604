"""Refresh tokens; theft and races are in `tests/attacks/test_jwt_refresh_reuse.py`."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto.ring import KeyRing
from garrison.errors import TokenError, UsageError
from garrison.guard.drive import drive
from garrison.stores.protocols import Require
from garrison.tokens.refresh import IDLE, LIFE, REFRESH_FAMILIES, Family, RefreshTokens, Rotated
from tests.tokens.making import ISSUER
from tests.tokens.world import RING, ROOT, Deployment, Process, reason

NEW_ROOT = bytes(range(50, 90))


class Logins:
    """Refresh tokens of one process."""

    def __init__(self, deployment: Deployment | None = None, ring: KeyRing = RING) -> None:
        self.deployment = deployment or Deployment()
        self.process: Process = self.deployment.process()
        self.tokens = RefreshTokens(self.process.records, ring, self.process.revoked, ISSUER)

    def login(self, subject: str = "ada", session: str = "s1", **parts: Any) -> str:
        begun = self.tokens.begin(subject, session, self.process.now, os.urandom, **parts)
        assert drive(self.process.records.commit([begun.step])).done
        return begun.token

    def rotate(self, token: str, **parts: Any) -> Rotated:
        return drive(self.tokens.rotate(token, self.process.now, os.urandom, **parts))

    def answer(self, token: str, **parts: Any) -> str:
        return reason(lambda: self.rotate(token, **parts).family.subject)

    def families(self) -> list[Family]:
        return list(drive(self.process.records.find(REFRESH_FAMILIES, "", "", "", 1000)))


def test_each_token_brings_the_next() -> None:
    """Of the same family, with everything known of the login."""
    logins = Logins()
    token = logins.login(
        client="web", tenant="acme", scopes=["b:x", "a:x"], epoch=3, authenticated_at=7, methods=["pwd"]
    )
    seen = [token]
    for _ in range(5):
        rotated = logins.rotate(seen[-1], client="web")
        seen.append(rotated.token)

    assert len(set(seen)) == 6
    assert rotated.scopes == {"a:x", "b:x"}
    assert rotated.family.owner == "user:ada::acme"
    assert (rotated.family.session, rotated.family.epoch, rotated.family.methods) == ("s1", 3, ("pwd",))
    assert len(logins.families()) == 1


def test_a_family_goes_on_for_as_long_as_it_lives() -> None:
    """The number of a token is written in letters; at the sixty-third it has one digit more."""
    logins = Logins()
    token = logins.login()

    for number in range(1, 70):
        token = (rotated := logins.rotate(token)).token
        assert rotated.family.number == number


def test_the_form_can_be_searched_for() -> None:
    """Brand, kind, public name, secret; a double click selects all of it."""
    token = Logins().login()

    assert re.fullmatch(r"grsn_rt_[0-9A-Za-z]{18}_[0-9A-Za-z]{43}", token)


def test_the_store_holds_nothing_a_token_could_be_made_from() -> None:
    """Without the root key; neither the secret nor a hash of it is there."""
    logins = Logins()
    token = logins.login()

    assert token.rpartition("_")[2] not in repr(logins.families())


def test_a_family_ends_when_it_is_not_used_and_at_the_latest_after_its_life() -> None:
    """From both sides; each use puts the idle end off, nothing puts off the other."""
    logins = Logins()
    clock = logins.deployment.clock
    token, idle = logins.login(), logins.login("bob", "s2")

    clock.advance(IDLE - 1)
    token = logins.rotate(token).token
    clock.advance(1)
    assert logins.answer(idle) == "refresh_unknown"
    clock.advance(IDLE - 2)
    token = logins.rotate(token).token
    clock.advance(LIFE - 2 * IDLE + 1)
    token = logins.rotate(token).token
    clock.advance(1)
    assert logins.answer(token) == "refresh_unknown"


def test_fewer_scopes_can_be_asked_for_and_never_more() -> None:
    """RFC 6749 section 6; the family keeps what was granted, and a refusal spends nothing."""
    logins = Logins()
    token = logins.login(scopes=["notes:*", "me:read"])

    assert logins.answer(token, scopes=["admin:all"]) == "refresh_scope"
    rotated = logins.rotate(token, scopes=["notes:read"])
    assert rotated.scopes == {"notes:read"}
    assert logins.rotate(rotated.token).scopes == {"notes:*", "me:read"}


def test_a_token_is_for_the_client_it_was_given_to() -> None:
    """Another one gets nothing, and the family lives."""
    logins = Logins()
    token = logins.login(client="web")

    assert logins.answer(token, client="other") == "refresh_unknown"
    assert logins.answer(token) == "refresh_unknown"
    assert logins.answer(token, client="web") == "ada"


def test_logout_ends_the_family_and_its_access_tokens() -> None:
    """With any token of it; twice is no error."""
    logins = Logins()
    first = logins.login()
    second = logins.rotate(first).token
    access = logins.process.issue(session="s1")

    family = drive(logins.tokens.end(first, logins.process.now, os.urandom))

    assert family is not None
    assert family.subject == "ada"
    assert logins.answer(second) == "refresh_unknown"
    assert logins.process.answer(access) == "revoked"
    assert drive(logins.tokens.end(second, logins.process.now, os.urandom)) is None
    assert drive(logins.tokens.end("nonsense", logins.process.now, os.urandom)) is None
    assert [event.subject for event in logins.deployment.events("authn_token_revoked")] == [f"family:{family.id}"]


def test_everything_of_an_owner_is_ended_but_one_session() -> None:
    """More than a page of them."""
    logins = Logins()
    mine = [logins.login(session=f"s{number}") for number in range(230)]
    other = logins.login("bob", "s999")

    assert drive(logins.tokens.end_all("user:ada", logins.process.now, os.urandom, but="s7")) == 229

    assert logins.answer(mine[7]) == "ada"
    assert logins.answer(mine[8]) == "refresh_unknown"
    assert logins.answer(other) == "bob"


def test_a_further_condition_can_refuse() -> None:
    """Such as the account's epoch; then nothing is spent, and nothing is ended."""
    logins = Logins()
    token = logins.login()
    condition = Require(REFRESH_FAMILIES, "nobody", "subject", "ada")

    assert logins.answer(token, steps=[condition]) == "refresh_unknown"
    assert logins.answer(token) == "ada"


def test_roots_rotate_under_living_families() -> None:
    """An old token is exchanged for one of the new root; then the old root may go."""
    logins = Logins()
    first = logins.login()
    both = Logins(logins.deployment, KeyRing([NEW_ROOT, ROOT]))
    only = Logins(logins.deployment, KeyRing([NEW_ROOT]))

    assert only.answer(first) == "refresh_unknown"
    second = both.rotate(first).token
    assert only.answer(second) == "ada"


@pytest.mark.parametrize(
    "token",
    [
        *("", "x", "grsn_rt__"),
        *(f"grsn_rt_{'a' * 17}_{'a' * 43}", f"grsn_rt_{'a' * 18}_{'a' * 44}", f"grsn_rt_{'a' * 18}_{'a' * 43}\n"),
        *(f"other_rt_{'a' * 18}_{'a' * 43}", f"grsn_rt_{'ä' * 18}_{'a' * 43}", f"GRSN_rt_{'a' * 18}_{'a' * 43}"),
    ],
)
def test_what_is_no_refresh_token_never_reaches_the_store(token: str) -> None:
    """By its form."""
    logins = Logins()
    logins.deployment.records.close()

    assert logins.answer(token) == "refresh_form"


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    """As a token, and in the places of its parts."""
    logins = Logins()

    for token in (text, "grsn_rt_" + text, f"grsn_rt_{'a' * 18}_{text}"):
        with pytest.raises(TokenError):
            logins.rotate(token)


@pytest.mark.parametrize("parts", [{"subject": ""}, {"session": ""}, {"scopes": ["a b"]}, {"scopes": [""]}])
def test_a_family_without_its_parts_is_not_begun(parts: dict[str, Any]) -> None:
    """Programmer's errors."""
    logins = Logins()

    with pytest.raises(UsageError):
        logins.tokens.begin(**{"subject": "ada", "session": "s", "now": 1, "randomness": os.urandom, **parts})


@pytest.mark.parametrize("parts", [{"brand": "G"}, {"brand": "a_b"}, {"brand": ""}, {"life": 0}, {"idle": -1}])
def test_rules_that_make_no_sense_are_refused(parts: dict[str, Any]) -> None:
    """At start."""
    process = Deployment().process()

    with pytest.raises(UsageError):
        RefreshTokens(process.records, RING, process.revoked, ISSUER, **parts)


class Raced:
    """A store in which something happens between a read and the commit after it."""

    def __init__(self, records: Any) -> None:
        self.inner = records
        self.between: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def commit(self, *parts: Any) -> Any:
        between, self.between = self.between, None
        if between is not None:
            between()
        return await self.inner.commit(*parts)


@pytest.mark.parametrize(("first", "said"), [("rotates", "refresh_reused"), ("ends", "refresh_unknown")])
def test_who_comes_second_with_a_token_gets_nothing(first: str, said: str) -> None:
    """Between reading and writing: used by another it is a theft, ended by another it is none."""
    here, there = (logins := Logins()), Logins(logins.deployment)
    token, won = here.login(), []
    raced = Raced(here.process.records)
    here.tokens._records = raced

    def between() -> None:
        if first == "rotates":
            won.append(there.rotate(token).token)
        else:
            assert drive(there.tokens.end(token, there.process.now, os.urandom))

    raced.between = between

    assert here.answer(token) == said
    assert here.families() == []
    assert [there.answer(one) for one in won] == ["refresh_unknown"] * len(won)
    assert len(here.deployment.events("authn_token_reuse")) == len(won)


def test_what_is_not_known_of_a_login_is_nothing() -> None:
    family = Logins().tokens.begin("ada", "s1", 1, os.urandom).family

    assert (family.epoch, family.authenticated_at, family.number) == (0, 0, 0)
