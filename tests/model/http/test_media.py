"""Media types of bodies: which are JSON, in which letters, and which are among those listed."""

from __future__ import annotations

import pytest

from garrison.model.http.media import is_json, is_utf8, takes


@pytest.mark.parametrize(
    ("kind", "json"),
    [
        ("application/json", True),
        ("application/merge-patch+json", True),
        ("text/json", False),
        ("image/x+json", False),
        ("x+json", False),
        ("application/jsonp", False),
        ("application/json, text/plain", False),
        ("", False),
    ],
)
def test_json_is_what_says_it_is(kind: str, json: bool) -> None:
    assert is_json(kind) is json


@pytest.mark.parametrize(
    ("content", "kind", "taken"),
    [
        (["application/json"], "application/json", True),
        (["application/json"], "application/problem+json", True),
        (["application/problem+json"], "application/json", False),
        (["application/json"], "text/plain", False),
        (["application/json"], "", False),
        (["image/*"], "image/png", True),
        (["image/*"], "imagery/png", False),
        (["image/*"], "", False),
        (["*/*"], "image/png", True),
        (["*/*"], "", True),
        ([], "application/json", False),
    ],
)
def test_a_type_is_taken_that_is_listed(content: list[str], kind: str, taken: bool) -> None:
    assert takes(content, kind) is taken


@pytest.mark.parametrize(
    ("content_type", "utf8"),
    [
        (b"application/json", True),
        (b"application/json; charset=utf-8", True),
        (b'application/json;CHARSET="UTF-8" ;x=y', True),
        (b"application/json; charset=utf-16", False),
        (b"application/json; charset=utf-8; charset=utf-7", False),
        (b"application/json; charset =utf-16", False),
        (b"application/json; charset", False),
        (b"application/json; charset*=utf-8''utf-16", False),
        (b'application/json; x=";"; charset=utf-16', False),
    ],
)
def test_any_other_letters_than_utf_8_are_told(content_type: bytes, utf8: bool) -> None:
    """Some frameworks decode JSON by the charset that the caller names, and the guard never does."""
    assert is_utf8(content_type) is utf8
