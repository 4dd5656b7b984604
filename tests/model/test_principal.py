"""Principals: four parts that never blur, and things that have one owner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import OwnershipError
from garrison.model.principal import ANONYMOUS, OwnershipProof, Principal, principal_id

PARTS = st.tuples(st.text(min_size=1, max_size=6), st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))


def test_the_id_is_readable() -> None:
    assert Principal(subject="ada").id == "user:ada"
    assert principal_id("user", "ada@example.com", "https://id.example.com", "acme") == (
        "user:ada@example.com:https%3A%2F%2Fid.example.com:acme"
    )
    assert principal_id("user", "ada", tenant="acme") == "user:ada::acme"


@given(PARTS, PARTS)
def test_two_principals_have_one_id_only_if_they_are_one(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    """A `sub` that an attacker may choose must not become another's issuer or tenant."""
    assert (principal_id(*one) == principal_id(*other)) == (one == other)


def test_an_id_that_is_given_is_kept() -> None:
    assert Principal(subject="ada", id="user:eve").id == "user:eve"


def test_rights_are_asked_by_name_or_prefix() -> None:
    me = Principal(subject="ada", scopes=frozenset({"tasks:*"}))

    assert me.may("tasks:read")
    assert not me.may("keys:read")


def test_only_the_owner_owns_and_the_question_is_remembered() -> None:
    proof = OwnershipProof()
    me = Principal(subject="ada", proof=proof)

    assert not me.owns("user:eve")
    assert not proof.proved
    assert me.owns("user:ada")
    assert proof.proved


def test_a_thing_without_an_owner_is_nobodys() -> None:
    """A record whose owner was never filled in must not belong to whoever has an empty id."""
    nobody = Principal(subject="", id="")

    assert not nobody.owns("")
    assert not ANONYMOUS.owns("")


def test_anothers_thing_answers_like_a_missing_one() -> None:
    me = Principal(subject="ada")
    me.must_own("user:ada")

    with pytest.raises(OwnershipError, match=r"^not found$"):
        me.must_own("user:eve")


def test_what_starlette_asks_for() -> None:
    assert Principal(subject="ada").is_authenticated
    assert Principal(subject="ada").display_name == "ada"
    assert not ANONYMOUS.is_authenticated


def test_nobody_has_no_right() -> None:
    assert ANONYMOUS.scopes == frozenset()
    assert ANONYMOUS.kind == "anonymous"
