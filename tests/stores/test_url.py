"""The URL of a store has one reader, for the policy and for the store."""

from __future__ import annotations

import pytest

from garrison.errors import UsageError
from garrison.stores.open import SCHEMES
from garrison.stores.url import is_file, read


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("memory:", ("memory", "")),
        ("sqlite:var/x.db", ("sqlite", "var/x.db")),
        ("sqlite:/var/lib/a b:c.db", ("sqlite", "/var/lib/a b:c.db")),
    ],
)
def test_a_url_is_a_scheme_that_opens_a_store_and_the_rest(url: str, parts: tuple[str, str]) -> None:
    assert read(url) == parts
    assert parts[0] in SCHEMES


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "memory:x",
        "sqlite",
        "sqlite:",
        "sqlite:.",
        "sqlite::memory:",
        "sqlite:a/:memory:",
        "sqlite:file:x.db",
        "sqlite:x?mode=memory",
        "sqlite:x#y",
        "sqlite:x\n",
        "redis://u:p@h",
    ],
)
def test_anything_else_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(url)

    assert "u:p" not in str(refused.value)


def test_a_path_without_a_name_is_no_file() -> None:
    assert [is_file(path) for path in ("x", "a/x", "/", "", "a\0b")] == [True, True, False, False, False]
