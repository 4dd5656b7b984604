"""Challenges: one line per scheme, and parameters where their RFC has put them."""

from __future__ import annotations

import pytest

from garrison.model.http.challenge import challenges, is_bearer, scheme

KEY, TOKEN = scheme("ApiKey", "notes"), scheme("Bearer", "notes")


def test_a_scheme_names_its_realm() -> None:
    assert (KEY, TOKEN) == (b'ApiKey realm="notes"', b'Bearer realm="notes"')
    assert (is_bearer(KEY), is_bearer(TOKEN)) == (False, True)


@pytest.mark.parametrize(
    ("schemes", "told", "lines"),
    [
        ((), "", []),
        ((KEY, TOKEN), "", [KEY, TOKEN]),
        ((TOKEN, KEY, TOKEN), "", [TOKEN, KEY]),
        ((KEY, TOKEN), 'error="invalid_token"', [KEY, TOKEN + b', error="invalid_token"']),
        ((KEY,), 'error="invalid_token"', [KEY]),
    ],
)
def test_each_scheme_has_one_line_and_bearer_alone_its_parameters(
    schemes: tuple[bytes, ...], told: str, lines: list[bytes]
) -> None:
    """RFC 6750 defines `error` and `scope` for its own scheme, and for no other."""
    assert challenges(schemes, told) == tuple((b"www-authenticate", line) for line in lines)
