"""Remembering tokens that verified."""

from __future__ import annotations

import os
from functools import partial

import pytest

from garrison.crypto.jwk import new_jwk, read_jwk
from garrison.errors import UsageError
from garrison.tokens import CachedVerifier, Claims, Verifier
from garrison.tokens.cache import REMEMBERED
from tests.tokens.making import AUDIENCE, ISSUER, NOW, made, verifier
from tests.tokens.world import Deployment, reason

SECOND = 1_000_000


def test_a_hit_gives_the_very_claims_of_before() -> None:
    """Nothing is checked or decoded again."""
    one = CachedVerifier(verifier())

    first = one.verify(made(), NOW)

    assert one.verify(made(), NOW) is first
    assert one.verify(made().decode(), NOW) is first
    assert one.count == 1


def test_a_hit_ends_with_the_token_and_with_the_minute() -> None:
    """Whichever comes first, from both sides."""
    one = CachedVerifier(verifier(leeway=SECOND))
    soon, late = made(exp=NOW // SECOND + 30), made(exp=NOW // SECOND + 600)
    first = one.verify(soon, NOW), one.verify(late, NOW)

    assert one.verify(soon, NOW + 31 * SECOND - 1) is first[0]
    assert reason(lambda: one.verify(soon, NOW + 31 * SECOND)) == "expired"
    assert one.verify(late, NOW + REMEMBERED - 1) is first[1]
    assert one.verify(late, NOW + REMEMBERED) is not first[1]


def test_a_hit_does_not_begin_before_the_token_does() -> None:
    """The clock of the machine was set back after the first check."""
    one = CachedVerifier(verifier())
    one.verify(made(), NOW)

    assert reason(lambda: one.verify(made(), NOW - 20 * SECOND)) == "not_yet"


def test_a_change_of_keys_ends_every_hit() -> None:
    """By generation, not one by one."""
    process = Deployment().process()
    one = CachedVerifier(process.verifier)
    token = process.issue()
    first = one.verify(token, process.now)

    process.keys.replace([*process.keys, read_jwk(new_jwk("ES256", os.urandom))])
    second = one.verify(token, process.now)
    process.keys.drop(next(iter(process.keys)).kid)

    assert second is not first
    assert reason(lambda: one.verify(token, process.now)) == "key_unknown"


def test_only_tokens_that_verified_are_remembered() -> None:
    """Whoever has none cannot push others out."""
    one = CachedVerifier(verifier(), entries=4)
    first = one.verify(made(), NOW)

    answers = {reason(partial(one.verify, made(exp=number), NOW)) for number in range(100)}

    assert answers == {"expired"}
    assert one.verify(made(), NOW) is first
    assert one.count == 1


def test_entries_are_bounded_and_those_in_use_stay() -> None:
    """Two halves: what is asked for again moves to the new one."""
    one = CachedVerifier(verifier(), entries=10)
    used = one.verify(made(), NOW)

    for number in range(100):
        one.verify(made(jti=f"j-{number}"), NOW)
        assert one.verify(made(), NOW) is used
        assert one.count <= 10


def test_memory_is_bounded() -> None:
    """By what tokens weigh, long before their number is reached."""
    one = CachedVerifier(verifier(), entries=10_000, size=1 << 17)

    for number in range(200):
        one.verify(made(jti=f"j-{number}", pad="a" * 4000), NOW)

    assert 2 < one.count <= 2 * ((1 << 16) // 13_000 + 1)


@pytest.mark.parametrize(("entries", "size"), [(1, 1 << 20), (0, 1 << 20), (10, (1 << 16) - 1)])
def test_a_cache_that_holds_nothing_is_refused(entries: int, size: int) -> None:
    """It would look as if it worked."""
    with pytest.raises(UsageError):
        CachedVerifier(verifier(), entries=entries, size=size)


def test_text_beyond_ascii_is_refused_as_ever() -> None:
    """Before anything is hashed."""
    assert reason(lambda: CachedVerifier(verifier()).verify("é.é.é", NOW)) == "form"


def test_max_age_ends_a_hit_too() -> None:
    """Every bound of the verifier is one of the entry."""
    process = Deployment().process()
    strict: Verifier[Claims] = Verifier(process.keys, ISSUER, AUDIENCE, max_age=30 * SECOND)
    one = CachedVerifier(strict)
    token = process.issue()
    one.verify(token, process.now)

    assert reason(lambda: one.verify(token, process.now + 30 * SECOND)) == "too_old"


def test_an_entry_is_given_only_for_a_token_that_is_remembered() -> None:
    """The whole token names it."""
    one = CachedVerifier(verifier())
    claims = one.verify(made(), NOW)
    entry = one.entry(made())

    assert entry is not None
    assert entry.claims is claims
    assert one.entry(made()[:-1]) is None


def test_a_hit_begins_with_the_token() -> None:
    """At the very instant, and not a microsecond before."""
    one = CachedVerifier(verifier())
    first = one.verify(made(), NOW)
    since = verifier().since(first)

    assert one.verify(made(), since) is first
    assert reason(lambda: one.verify(made(), since - 1)) == "not_yet"


def test_the_smallest_cache_remembers() -> None:
    one = CachedVerifier(verifier(), entries=2, size=1 << 16)

    assert one.verify(made(), NOW) is one.verify(made(), NOW)
