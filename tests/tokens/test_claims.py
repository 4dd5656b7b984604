"""Typed claims."""

from __future__ import annotations

import msgspec
import pytest

from garrison.errors import UsageError
from garrison.tokens.claims import REGISTERED, Claims, demanding


def test_demanded_claims_must_be_there_and_the_type_is_still_claims() -> None:
    """Whoever annotates with `Claims` need not know."""
    strict = demanding(Claims, {"jti", "sub"})
    decode = msgspec.json.Decoder(strict).decode

    assert isinstance(decode(b'{"iss":"i","aud":"a","exp":1,"sub":"s","jti":"j"}'), Claims)
    with pytest.raises(msgspec.ValidationError, match="jti"):
        decode(b'{"iss":"i","aud":"a","exp":1,"sub":"s"}')


def test_a_claim_that_does_not_exist_cannot_be_demanded() -> None:
    """A typing error would demand nothing."""
    with pytest.raises(UsageError, match="subject"):
        demanding(Claims, {"subject"})


def test_the_registered_names_are_those_with_a_meaning() -> None:
    """An application's own never take their place."""
    assert {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "epoch", "cnf"} <= REGISTERED


def test_scopes_that_are_none_are_left_out() -> None:
    """Other blanks than a space do not part scopes: two parsers would see two rights."""
    assert Claims(iss="i", aud="a", exp=1, scope="a:b  c:d e\u00a0f\tg").scopes == {"a:b", "c:d"}
