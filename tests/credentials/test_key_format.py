"""The text of a key: what may be seen of it is in front, and no accident passes for a key."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.credentials.key_format import (
    CHECK,
    Environment,
    KeyFormat,
    KeyKind,
    check_of,
    format_of,
    key_of,
    new_key_id,
    new_secret_id,
)
from garrison.errors import UsageError
from garrison.model.ids import BASE62
from garrison.policy.schema import Keys

FORMAT = KeyFormat("acme")
KINDS = st.sampled_from(["sk", "pk", "rk"])
SEEDS = st.integers(0, 2**32)


def _make(kind: KeyKind = "sk", environment: Environment = "live", seed: int = 0) -> str:
    draw = random.Random(seed).randbytes
    return KeyFormat("acme", environment).make(kind, new_secret_id(new_key_id(draw), frozenset(), draw), draw)


def _refused(raw: bytes, form: KeyFormat = FORMAT) -> str:
    """Give the reason against what is no key anywhere."""
    assert form.id_of(raw) == ""
    reason, id = form.fault(raw)
    assert id == ""
    return reason


def test_a_key_is_75_characters_that_one_double_click_selects() -> None:
    """`acme_sk_live_` + 12 + `_` + 43 + 6; no `-`, which would end a word."""
    text = _make()

    assert len(text) == len("acme_sk_live_") + 12 + 1 + 43 + 6 == 75
    assert set(text) <= set(BASE62 + "_")


@given(KINDS, SEEDS)
def test_what_was_written_is_read(kind: KeyKind, seed: int) -> None:
    text = _make(kind, seed=seed)

    assert FORMAT.id_of(text.encode()) == text.split("_")[3]


@given(KINDS, st.sampled_from(["test", "dev"]), SEEDS)
def test_a_key_of_another_environment_is_a_key_and_said_to_be_elsewhere(
    kind: KeyKind, environment: Environment, seed: int
) -> None:
    text = _make(kind, environment, seed)

    assert FORMAT.id_of(text.encode()) == ""
    assert FORMAT.fault(text.encode()) == ("key_environment", text.split("_")[3])


@given(SEEDS, st.integers(0, 74), st.sampled_from(BASE62 + "_-= "))
def test_any_one_wrong_character_is_noticed(seed: int, at: int, letter: str) -> None:
    """CRC-32 finds every burst of up to 32 bits, so a typing error never reaches a store."""
    text = _make(seed=seed)
    wrong = text[:at] + letter + text[at + 1 :]

    assert wrong == text or _refused(wrong.encode()) in ("key_form", "key_check")


@given(st.binary(max_size=120))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    assert _refused(raw) in ("key_form", "key_check")


@given(st.binary(max_size=200))
def test_the_check_is_crc_32_in_base62(body: bytes) -> None:
    """Read back with nothing of ours: the positions are worth 62 to the 5 down to 1."""
    number = 0
    for letter in check_of(body).decode():
        number = number * 62 + BASE62.index(letter)

    assert number == zlib.crc32(body)
    assert len(check_of(body)) == CHECK


@pytest.mark.parametrize(
    "wrong",
    ["", " ", "acme", "\n", "acme_sk_live_", "ACME_SK_LIVE_", "sk_live_abc"],
)
def test_what_has_another_form_is_no_key(wrong: str) -> None:
    assert _refused(wrong.encode()) == "key_form"


def test_a_line_end_is_no_part_of_a_key() -> None:
    """`$` of a regular expression would let it pass."""
    assert _refused(_make().encode() + b"\n") == "key_form"


def test_another_brand_is_no_key_of_ours() -> None:
    assert _refused(_make().encode(), KeyFormat("other")) == "key_form"


@pytest.mark.parametrize("brand", ["", "a", "A1", "1a", "a_b", "elevenchars", "é1", "ab\n"])
def test_a_brand_is_short_and_plain(brand: str) -> None:
    with pytest.raises(UsageError, match="brand"):
        KeyFormat(brand)


@pytest.mark.parametrize(("said", "meant"), [("", "live"), ("live", "live"), ("test", "test"), ("dev", "dev")])
def test_keys_outside_of_a_policy_are_live(said: str, meant: str) -> None:
    """A policy knows its environment and says it; where there is none, nothing is a rehearsal."""
    form = format_of(Keys(brand="acme", environment=said))  # type: ignore[arg-type]  # parametrized literals

    assert (form.brand, form.environment) == ("acme", meant)


def test_a_key_is_found_inside_other_text() -> None:
    text = _make()

    assert FORMAT.inside(b"a=1&key=" + text.encode() + b"&b=2") == text.split("_")[3]
    assert FORMAT.inside(b"a=1&key=" + text[:-1].encode() + b"&b=2") == ""


def test_a_new_secret_belongs_to_its_key_and_is_none_of_the_taken() -> None:
    draw = random.Random(4).randbytes
    key = new_key_id(draw)
    taken: set[str] = set()

    for _ in range(200):
        id = new_secret_id(key, frozenset(taken), draw)
        assert key_of(id) == key == key_of(key)
        assert len(id) == 12
        taken.add(id)

    assert len(taken) == 200
