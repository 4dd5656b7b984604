"""The list of common passwords: holds what guessers try, and hardly anything else."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.accounts.passwords.blocklist import Blocklist, common_passwords, repeats, write
from garrison.errors import UsageError


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "PASSWORD1",
        "qwertyuiopasdfgh",
        "123456789012345",
        "abcdefghijklmnop",
        "zyxwvutsrqponml",
        "iloveyou",
    ],
)
def test_what_guessers_try_is_listed(password: str) -> None:
    """In any letter case."""
    assert password in common_passwords()


@pytest.mark.parametrize("password", ["purple mattress 91 soup", "Tr0ub4dor&3 and more", "", "ё" * 20])
def test_what_nobody_tries_is_not(password: str) -> None:
    assert password not in common_passwords()


def test_few_unlisted_passwords_are_taken_for_listed() -> None:
    """One in 100,000: of 200,000 drawn at random, more than 12 would come by chance once in 100,000 runs."""
    drawn = Random(7)

    taken = sum(f"{drawn.getrandbits(80):020x}" in common_passwords() for _ in range(200_000))

    assert taken <= 12


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=30))
def test_the_filter_forgets_nothing(passwords: list[str]) -> None:
    """A listed password that passes is the one fault a block list must not have."""
    listed = Blocklist(write(passwords))

    assert all(password in listed for password in passwords)


def test_the_same_passwords_give_the_same_file() -> None:
    """So that anybody can build the shipped file again and compare."""
    assert write(["b", "A", "a"]) == write(["a", "b"])


@pytest.mark.parametrize("data", [b"", b"garrison-bloom-1", b"x" * 40, write(["a"])[:-1], write(["a"]) + b"x"])
def test_another_file_is_no_list(data: bytes) -> None:
    """A truncated list would let through what it lost."""
    with pytest.raises(UsageError):
        Blocklist(data)


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("aaaaaaaaaaaaaaa", True),
        ("abcabcabcabcab", True),
        ("PassWordpassword", True),
        ("abcdefgabcdef", False),
        ("ab", False),
        ("", False),
        ("aa", True),
    ],
)
def test_a_part_again_and_again(password: str, *, expected: bool) -> None:
    assert repeats(password) is expected


@given(st.text(min_size=1, max_size=12), st.integers(2, 6))
def test_every_repetition_is_found(part: str, times: int) -> None:
    assert repeats(part * times)
