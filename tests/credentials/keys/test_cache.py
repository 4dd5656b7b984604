"""Hot keys: bounded, dropped by news, and never filled with what is from before the news."""

from __future__ import annotations

from collections.abc import Container

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.credentials.key_record import KeyRecord, KeySecret
from garrison.credentials.keys import cache as cache_module
from garrison.credentials.keys.cache import KeyCache
from garrison.credentials.keys.hot import HotKey, Proved, compiled, proved


def _key(id: str, version: int = 1, owner: str = "user:ada") -> HotKey:
    secret = KeySecret(id=f"{id}1", mac=b"", pepper="", created=0)
    record = KeyRecord(
        id=id,
        name="n",
        kind="sk",
        environment="live",
        owner=owner,
        subject="ada",
        created=0,
        secrets=(secret,),
    )
    return compiled(record, None, 0, version)


def _cache(most: int = 9, recent: Container[str] = ()) -> KeyCache:
    return KeyCache(most, recent.__contains__)


def _put(cache: KeyCache, key: HotKey) -> Proved:
    """Keep a key, read for the second time, and prove a secret of it."""
    assert cache.put(key, cache.begin())
    assert cache.put(key, cache.begin())
    proof = proved(key, key.record.secrets[0])
    cache.prove(key.record.id.encode(), key.record.secrets[0].id, proof, key)
    return proof


def test_what_is_read_once_is_not_kept() -> None:
    cache = _cache()
    key = _key("a")

    assert cache.put(key, cache.begin())
    cache.prove(b"a", "a1", proved(key, key.record.secrets[0]), key)
    assert len(cache) == len(cache.proved) == 0
    assert cache.put(key, cache.begin())
    assert len(cache) == 1


def test_what_was_proved_is_found_by_its_digest() -> None:
    cache = _cache()
    proof = _put(cache, _key("a"))

    assert cache.proved[b"a"].extra is proof
    assert len(cache) == 1


def test_a_dropped_key_is_gone_and_dead() -> None:
    """Dead as well: a request that found it a moment ago must not pass with it."""
    cache = _cache()
    proof = _put(cache, _key("a"))
    cache.drop("a")

    assert not proof.live
    assert cache.get("a") is None
    assert not cache.proved


def test_a_fill_begun_before_the_news_is_refused() -> None:
    cache = _cache()
    begun = cache.begin()
    cache.drop("a")

    assert not cache.put(_key("a"), begun)
    assert cache.put(_key("b"), begun), "other keys are not concerned"
    assert cache.put(_key("a"), cache.begin()), "nor is a read that begins after the news"


def test_a_fill_begun_before_news_about_its_owner_is_refused() -> None:
    cache = _cache()
    begun = cache.begin()
    cache.drop_owner("user:ada")

    assert not cache.put(_key("a"), begun)


def test_an_owner_takes_all_keys_along_and_no_others() -> None:
    cache = _cache()
    proofs = [_put(cache, _key(id)) for id in "abc"]
    other = _put(cache, _key("d", owner="user:bob"))
    cache.drop_owner("user:ada")

    assert [proof.live for proof in (*proofs, other)] == [False, False, False, True]


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    cache = _cache()
    _put(cache, _key("a", version=2))

    assert not cache.put(_key("a", version=1), cache.begin())
    assert cache.put(_key("a", version=3), cache.begin())


def test_a_flood_of_news_refuses_fills_rather_than_forget() -> None:
    cache = _cache()
    begun = cache.begin()
    cache.drop("a")
    for number in range(10_000):
        cache.drop(f"n{number}")

    assert not cache.put(_key("a"), begun)
    assert cache.put(_key("a"), cache.begin())


def test_clearing_refuses_every_fill_that_is_under_way() -> None:
    cache = _cache()
    proof = _put(cache, _key("a"))
    begun = cache.begin()
    cache.clear()

    assert not proof.live
    assert not cache.put(_key("b"), begun)


def test_two_keys_of_one_owner_are_told_apart() -> None:
    cache = _cache()
    first, second = _put(cache, _key("a")), _put(cache, _key("b"))
    cache.drop("a")
    third = _put(cache, _key("c"))
    cache.drop_owner("user:ada")

    assert [proof.live for proof in (first, second, third)] == [False, False, False]
    assert not cache._owned


def test_a_million_keys_that_come_once_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """That they came is remembered for so many, then anew; what comes twice in between gets in."""
    monkeypatch.setattr(cache_module, "_MOST_ONCE", 10)
    cache = _cache()
    for number in range(100):
        key = _key(f"k{number}")
        assert cache.put(key, cache.begin())

    assert len(cache) == 0
    assert len(cache._once) <= 10
    _put(cache, _key("again"))
    assert len(cache) == 1


def test_what_is_kept_shares_what_it_has_in_common() -> None:
    """A hundred thousand keys with the same scopes hold them once."""
    cache = _cache()
    kept = [_put(cache, _key(id)).key for id in "ab"]

    assert kept[0].record.scopes is kept[1].record.scopes
    assert kept[0].bounds is kept[1].bounds


def test_what_is_used_stays() -> None:
    cache = _cache(4, {"a1"})
    for id in "abcd":
        _put(cache, _key(id))
    for number in range(20):
        _put(cache, _key(f"n{number}"))

    assert cache.get("a") is not None
    assert len(cache) == 4


def test_where_all_are_used_one_goes_all_the_same() -> None:
    """However busy, the cache stays bounded and the work for one more is."""
    cache = _cache(20, {f"n{number}1" for number in range(99)})
    for number in range(99):
        _put(cache, _key(f"n{number}"))

    assert len(cache) == 20


@given(
    st.lists(st.tuples(st.sampled_from(["put", "drop", "owner", "clear", "get"]), st.integers(0, 12))),
    st.integers(1, 5),
)
def test_it_is_bounded_and_its_parts_agree(steps: list[tuple[str, int]], most: int) -> None:
    """Every digest belongs to a live key, every dead proof is unreachable, whatever happened."""
    cache = _cache(most)
    proofs: list[Proved] = []
    for what, number in steps:
        id, owner = f"k{number}", f"user:{number % 3}"
        if what == "put":
            proofs.append(_put(cache, _key(id, owner=owner)))
        elif what == "drop":
            cache.drop(id)
        elif what == "owner":
            cache.drop_owner(owner)
        elif what == "clear":
            cache.clear()
        else:
            cache.get(id)

    reachable = [presented.extra for presented in cache.proved.values()]
    assert len(cache) <= most
    assert all(proof.live and cache.get(proof.key.record.id) is proof.key for proof in reachable)
    assert all(proof.live == (proof in reachable) for proof in proofs)
    assert set(cache._owned) == {proof.key.record.owner for proof in reachable}


def test_the_same_version_may_be_read_again_and_a_secret_proved_twice() -> None:
    cache = _cache()
    key = _key("a", version=2)
    _put(cache, key)
    again = _key("a", version=2)
    assert cache.put(again, cache.begin())
    proofs = [proved(again, again.record.secrets[0]) for _ in range(2)]
    for proof in proofs:
        cache.prove(b"a", "a1", proof, again)
    assert again.digests == [b"a"]
    cache.drop("a")

    assert [proof.live for proof in proofs] == [False, True], "the second was never found by anybody"


def test_marks_that_are_forgotten_refuse_what_began_before_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_MOST_MARKS", 2)
    cache = _cache()
    cache.drop("a")
    cache.drop("b")
    begun = cache.begin()
    assert cache.put(_key("d"), begun)

    cache.drop("c")

    assert not cache.put(_key("d"), begun), "which pieces of news came is not known any more"
    assert cache.put(_key("d"), cache.begin())


def test_after_clearing_it_fills_again() -> None:
    cache = _cache()
    cache.clear()

    assert _put(cache, _key("a")).live
    assert len(cache) == 1


@pytest.mark.parametrize("most", [-1, 0, 1])
def test_the_smallest_cache_holds_one(most: int) -> None:
    cache = _cache(most)
    _put(cache, _key("a"))
    _put(cache, _key("b"))

    assert [cache.get(id) is None for id in "ab"] == [True, False]
