"""Every token of the hostile set is refused, for its own reason, by the one error, whatever went before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import TokenError
from garrison.tokens import REASONS, CachedVerifier, Claims, Verifier
from tests.tokens.hostile import HOSTILE
from tests.tokens.making import NOW, made, verifier


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_for_its_own_reason(name: str) -> None:
    """As bytes and as text, by a verifier that has seen nothing and by one that knows the header already."""
    token, reason = HOSTILE[name]
    fresh, warm = verifier(), verifier()
    warm.verify(made(), NOW)

    for one in (fresh, warm, CachedVerifier(warm)):
        for form in (token, token.decode("latin-1")):
            with pytest.raises(TokenError) as refusal:
                one.verify(form, NOW)
            assert refusal.value.reason in ({reason, "form"} if not token.isascii() else {reason})


def test_every_reason_is_one_that_is_documented() -> None:
    """And the hostile set reaches every reason that a token alone can have."""
    reached = {reason for _, reason in HOSTILE.values()}

    assert reached <= REASONS.keys()
    assert REASONS.keys() - reached == {
        *("too_old", "revoked"),
        *("refresh_form", "refresh_unknown", "refresh_reused", "refresh_scope"),
    }


def test_the_token_they_are_made_from_is_believed() -> None:
    """Else all of this would prove nothing; an unknown harmless header parameter is no fault either."""
    assert verifier().verify(made(), NOW).sub == "ada"
    assert verifier().verify(made({"alg": "HS256", "kid": "k1", "typ": "AT+jwt", "x5t": "abc"}), NOW).sub == "ada"
    assert verifier().verify(made(None, None, custom={"a": [1, {"b": None}]}), NOW).sub == "ada"


def answer(one: Verifier[Claims], token: str | bytes) -> str:
    """Who is believed, or why nobody is; anything else escapes and fails the test."""
    try:
        return one.verify(token, NOW).sub
    except TokenError as refusal:
        return refusal.reason


@pytest.mark.parametrize("own", [True, False])
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_nothing_but_the_one_error_ever_escapes(own: bool, raw: bytes) -> None:
    """Anything as a token, as a header, as a payload behind a right signature, as a piece of a good token."""
    good, one = made(), verifier(own=own)
    tokens = [raw, made(raw), made(None, raw), good[:50] + raw + good[50:], raw + good, good + raw]

    answers = {answer(one, form) for token in tokens for form in (token, token.decode("latin-1"))}

    assert answers <= {"ada", *REASONS}
