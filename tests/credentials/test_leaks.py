"""Leaked keys: found wherever they stand, told without their secret, and nothing else is."""

from __future__ import annotations

import io
import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.credentials import leaks
from garrison.credentials.leaks import LONGEST, PATTERNS, Leak, leaks_in, pattern, scan
from garrison.errors import UsageError
from garrison.policy.schema import Keys
from tests.credentials.world import World

TEXT = World().make().text
RAW = TEXT.encode()


def _found(data: bytes, brand: str = "") -> list[Leak]:
    return list(leaks_in(io.BytesIO(data), "x", brand))


def test_a_finding_names_place_and_key_and_not_the_secret() -> None:
    (leak,) = _found(b"one\ntwo = '" + RAW + b"'\n")

    assert (leak.place, leak.line, leak.brand, leak.kind, leak.environment) == ("x", 2, "grsn", "sk", "live")
    assert TEXT.split("_")[3] == leak.id
    assert str(leak) == f"x:2: grsn_sk_live_{leak.id}_…"
    assert TEXT.split("_")[4] not in repr(leak)


@pytest.mark.parametrize(
    "before", [b"", b" ", b"=", b'"', b"_", b"KEY_", b"key", b"Bearer ", b"https://x/?k=", b"\x00\xff"]
)
@pytest.mark.parametrize("after", [b"", b"\n", b'"', b"&", b"x", b"_", b"\x00\xff"])
def test_it_is_found_whatever_stands_around_it(before: bytes, after: bytes) -> None:
    """Glued to letters too: the checksum tells where it begins."""
    assert len(_found(before + RAW + after)) == 1


def test_what_only_looks_like_one_is_not_told() -> None:
    """Examples in documentation, and keys with a typing error."""
    wrong = RAW[:-1] + (b"0" if RAW[-1:] != b"0" else b"1")

    assert _found(wrong + b"\nacme_sk_live_" + b"a" * 12 + b"_" + b"b" * 49) == []


def test_a_likeness_in_front_hides_no_key() -> None:
    """The likeness ends in what is the brand of the real one."""
    assert len(_found(b"aa_sk_live_" + b"b" * 12 + b"_" + b"c" * 45 + RAW)) == 1


def test_utf_16_is_looked_through() -> None:
    assert len(_found(TEXT.encode("utf-16"))) == 1


def test_another_brand_is_left_to_others_when_one_is_named() -> None:
    assert _found(RAW, "acme") == []
    assert len(_found(RAW, "grsn")) == 1


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=8),
    st.lists(st.sampled_from([b"", b"\n", b"ab\n", b"x" * 70]), max_size=30),
)
def test_chunks_neither_split_nor_double_a_key(sizes: list[int], fill: list[bytes]) -> None:
    """However a stream is cut, what is found and on which line does not depend on it."""

    class Dribble(io.BytesIO):
        turn = 0

        def read(self, _: int | None = -1, /) -> bytes:
            self.turn += 1
            return super().read(sizes[self.turn % len(sizes)])

    data = b"".join(part + (RAW if at % 3 == 1 else b"") for at, part in enumerate(fill))

    assert list(leaks_in(Dribble(data), "x")) == _found(data)
    assert len(_found(data)) == data.count(RAW)


def test_memory_is_bounded_by_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "CHUNK", LONGEST)
    lines = b"".join(b"%d %s\n" % (at, RAW if at % 7 == 0 else b"") for at in range(100))

    assert [leak.line for leak in _found(lines)] == [at + 1 for at in range(100) if at % 7 == 0]


class TestScan:
    def test_folders_are_walked_and_counted(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "b" / "settings.py").write_bytes(b"KEY = '" + RAW + b"'")
        (tmp_path / "image.bin").write_bytes(os.urandom(100) + b"\n" + RAW)
        (tmp_path / "clean").write_text("nothing")

        found = scan([tmp_path])

        assert sorted(Path(leak.place).name for leak in found.leaks) == ["image.bin", "settings.py"]
        assert (found.files, found.unread) == (3, ())

    def test_neither_links_nor_pipes_nor_histories_are_entered(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_bytes(RAW)
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "loop").symlink_to(tmp_path)
        (tmp_path / "in" / "link").symlink_to(tmp_path / "real")
        os.mkfifo(tmp_path / "in" / "pipe")
        (tmp_path / "in" / ".git").mkdir()
        (tmp_path / "in" / ".git" / "packed").write_bytes(RAW)

        assert scan([tmp_path / "in"]).leaks == ()

    def test_what_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        """A scan that skips silently proves nothing."""
        found = scan([tmp_path / "missing"])

        assert found.unread == (f"{tmp_path / 'missing'}: No such file or directory",)


class TestPatterns:
    @pytest.mark.parametrize("scanner", PATTERNS)
    def test_nothing_is_left_to_fill_in(self, scanner: str) -> None:
        text = pattern(scanner, "acme")

        assert "acme" in text
        assert "BRAND" not in text
        assert "REGEX" not in text

    def test_the_rule_for_gitleaks_is_toml_and_finds_a_key(self) -> None:
        (rule,) = tomllib.loads(pattern("gitleaks", "grsn"))["rules"]

        assert re.search(rule["regex"], f"key={TEXT}")
        assert any(keyword in TEXT for keyword in rule["keywords"])

    @pytest.mark.parametrize("scanner", ["trufflehog", "github"])
    def test_the_others_hold_the_same_expression(self, scanner: str) -> None:
        (rule,) = tomllib.loads(pattern("gitleaks", "grsn"))["rules"]

        assert rule["regex"] in pattern(scanner, "grsn")

    @pytest.mark.parametrize(("scanner", "brand"), [("other", "acme"), ("gitleaks", ""), ("gitleaks", "a'''b")])
    def test_an_unknown_scanner_or_brand_is_told(self, scanner: str, brand: str) -> None:
        with pytest.raises(UsageError):
            pattern(scanner, brand)


@pytest.mark.parametrize("brand", ["ab", "a" * 10])
@pytest.mark.parametrize("before", [b"", b"x", b"xyz", b"7"])
def test_brands_of_every_length_are_found(brand: str, before: bytes) -> None:
    text = World(policy=Keys(brand=brand)).make().text

    assert [leak.brand for leak in _found(before + text.encode())] == [brand]
    assert [leak.brand for leak in _found(before + text.encode(), brand)] == [brand]


def test_so_much_is_looked_at_again_as_the_longest_key_has() -> None:
    """One byte less, and a key that lies across two chunks is not found; more only costs time."""
    assert len(World(policy=Keys(brand="a" * 10)).make().text) == LONGEST
