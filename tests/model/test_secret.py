"""A secret is seen by nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from traceback import format_exception

import pytest

from garrison.model.secret import Secret

VALUE = "correct horse battery staple"


def test_no_way_of_writing_it_shows_it() -> None:
    secret = Secret(VALUE)

    assert VALUE not in f"{secret} {secret!r} {[secret]} {secret:}"
    assert not hasattr(secret, "__dict__")


def test_it_is_revealed_by_name_and_text_is_utf8() -> None:
    assert Secret("ä").reveal() == b"\xc3\xa4"
    assert Secret(bytearray(b"x")).reveal() == b"x"  # type: ignore[arg-type]  # a copy of what might change


def test_it_equals_another_secret_of_the_same_bytes_and_nothing_else() -> None:
    assert Secret("a") == Secret(b"a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("a") != b"a"


def test_it_has_no_fingerprint_to_look_up() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret("a"))


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_copied_unguarded(copied: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        copied(Secret(VALUE))


def test_a_traceback_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="Secret") as caught:
        raise ValueError(Secret(VALUE))

    assert VALUE not in "".join(format_exception(caught.value))
