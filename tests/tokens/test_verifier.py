"""Whether a token is to be believed; what must never be believed is in `tests/attacks/test_jwt_*`."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto.jws import DEPTH
from garrison.crypto.key_set import KeySet
from garrison.errors import TokenError, UsageError
from garrison.tokens import Claims, Issuer, Verifier, new_jwk, public_jwk, read_jwk, secret_key
from tests.tokens.making import AUDIENCE, CLAIMS, HEADER, ISSUER, NOW, SECRET, b64, made, sealed, verifier
from tests.tokens.world import reason

SECOND = 1_000_000


def answer(one: Verifier[Any], token: bytes, now: int = NOW) -> str:
    return reason(lambda: one.verify(token, now).sub)


def test_the_claims_come_back_typed() -> None:
    """Scopes as a set, instants as numbers, the rest as texts."""
    claims = verifier(own=True).verify(
        made(tenant="acme", sid="s1", amr=["pwd", "otp"], auth_time=7, epoch=3, aud=["x", AUDIENCE]), NOW
    )

    assert (claims.sub, claims.tenant, claims.sid, claims.epoch, claims.auth_time) == ("ada", "acme", "s1", 3, 7)
    assert claims.scopes == {"notes:read"}
    assert claims.amr == ("pwd", "otp")
    assert claims.expires == CLAIMS["exp"] * SECOND


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]
)
def test_every_algorithm_is_issued_and_verified(alg: str, own: bool) -> None:
    """By a verifier that has the public half only."""
    key = read_jwk(new_jwk(alg, os.urandom))
    token = Issuer(KeySet([key]), ISSUER, AUDIENCE).issue("ada", NOW, os.urandom).token
    one: Verifier[Claims] = Verifier(KeySet([read_jwk(public_jwk(key))]), ISSUER, AUDIENCE, own=own)

    assert one.verify(token, NOW).sub == "ada"
    assert one.verify(token.encode(), NOW).sub == "ada"


@given(st.integers(-20, 20), st.integers(0, 5))
def test_it_ends_at_the_very_instant_of_exp(offset: int, leeway: int) -> None:
    """From both sides, a microsecond apart; leeway moves the instant and nothing else."""
    one = verifier(leeway=leeway * SECOND)
    token = made(exp=CLAIMS["iat"] + offset + 40)
    end = (CLAIMS["iat"] + offset + 40 + leeway) * SECOND

    assert answer(one, token, end - 1) == "ada"
    assert answer(one, token, end) == "expired"
    assert one.until(one.verify(token, end - 1)) == end


@given(st.integers(0, 20), st.integers(0, 5))
def test_it_begins_at_nbf(offset: int, leeway: int) -> None:
    """From both sides."""
    one = verifier(leeway=leeway * SECOND)
    token = made(nbf=CLAIMS["iat"] + offset)
    begin = (CLAIMS["iat"] + offset - leeway) * SECOND

    assert answer(one, token, begin) == "ada"
    assert answer(one, token, begin - 1) == "not_yet"
    assert one.since(one.verify(token, begin)) == begin


def test_fractions_of_seconds_count() -> None:
    """RFC 7519 section 2 allows them."""
    token = made(exp=CLAIMS["iat"] + 20.5)

    assert answer(verifier(), token, CLAIMS["iat"] * SECOND + 20_499_999) == "ada"
    assert answer(verifier(), token, CLAIMS["iat"] * SECOND + 20_500_000) == "expired"


def test_an_issuers_clock_may_be_a_minute_ahead() -> None:
    """In `iat` alone, and no more."""
    token = made(nbf=0, iat=CLAIMS["iat"] + 100)

    assert answer(verifier(), token, (CLAIMS["iat"] + 40) * SECOND) == "ada"
    assert answer(verifier(), token, (CLAIMS["iat"] + 40) * SECOND - 1) == "issued_later"


def test_max_age_counts_from_iat_whatever_exp_says() -> None:
    """And makes `iat` a claim that must be there."""
    one = verifier(max_age=60 * SECOND, required=["sub"])
    issued = CLAIMS["iat"] * SECOND

    assert answer(one, made(), issued + 60 * SECOND - 1) == "ada"
    assert answer(one, made(), issued + 60 * SECOND) == "too_old"
    assert answer(one, made(iat=None)) == "claim_missing"
    assert one.until(one.verify(made(), NOW)) == issued + 60 * SECOND


def test_only_what_is_required_must_be_there() -> None:
    """`iss`, `aud` and `exp` always are."""
    one = verifier(required=[])

    assert answer(one, made(jti=None, iat=None, scope=None, nbf=None)) == "ada"
    assert answer(one, made(sub=None)) == ""
    assert answer(one, made(exp=None)) == "claim_missing"


def test_several_audiences_and_kinds_can_be_allowed() -> None:
    """One of them is enough; a missing kind only when the empty one is among them."""
    keys = KeySet([secret_key(SECRET, kid="k1")])
    one: Verifier[Claims] = Verifier(keys, ISSUER, ["a", AUDIENCE], typ=["at+jwt", "JWT", ""])

    assert answer(one, made(aud="a")) == "ada"
    assert answer(one, made({"alg": "HS256", "kid": "k1", "typ": "jwt"})) == "ada"
    assert answer(one, made({"alg": "HS256", "kid": "k1"})) == "ada"
    assert answer(one, made({**HEADER, "typ": "dpop+jwt"})) == "typ"


@pytest.mark.parametrize(
    ("value", "scopes"),
    [("a:b c:d", {"a:b", "c:d"}), (["a:b", "c:d"], {"a:b", "c:d"}), ([], set()), ("", set())],
)
def test_scopes_come_from_the_claim_the_issuer_keeps_them_in(value: Any, scopes: set[str]) -> None:
    """`scp`, `permissions`, `roles`: text or list; `scope` itself then counts for nothing."""
    claims = verifier(scope_claim="scp").verify(made(scp=value, scope="admin:all"), NOW)

    assert claims.scopes == scopes


@pytest.mark.parametrize("value", [7, ["a b"], [1], {"a": 1}, True])
def test_scopes_of_another_form_are_refused(value: Any) -> None:
    """A list's member with a space in it would become two."""
    assert answer(verifier(scope_claim="scp"), made(scp=value)) == "payload"


def test_scopes_that_are_missing_are_none() -> None:
    """Not those of `scope`."""
    assert verifier(scope_claim="scp").verify(made(), NOW).scopes == set()


class Notes(Claims, frozen=True, kw_only=True):
    """Claims of an application."""

    shelf: int
    colour: str = "red"


def test_an_application_reads_claims_of_its_own() -> None:
    """Typed, and missing ones refuse by themselves."""
    one: Verifier[Notes] = verifier(claims=Notes)

    assert one.verify(made(shelf=3), NOW).shelf == 3
    assert one.verify(made(shelf=3), NOW).colour == "red"
    assert answer(one, made()) == "claim_missing"
    assert answer(one, made(shelf="3")) == "payload"


@pytest.mark.parametrize(
    "parts",
    [
        {"issuer": ""},
        {"audience": ""},
        {"audience": []},
        {"audience": ["a", ""]},
        {"typ": []},
        {"leeway": -1},
        {"max_age": -1},
        {"required": ["subject"]},
    ],
)
def test_a_demand_that_cannot_be_met_is_refused_at_start(parts: dict[str, Any]) -> None:
    """An empty issuer would match a missing one somewhere else one day."""
    with pytest.raises(UsageError):
        Verifier(KeySet([secret_key(SECRET)]), **{"issuer": ISSUER, "audience": AUDIENCE, **parts})


def test_only_headers_that_verified_are_remembered() -> None:
    """Forged ones would fill the table, or put a key where it does not belong."""
    one = verifier()
    for number in range(200):
        assert answer(one, sealed(b64({**HEADER, "x": number}), b64(CLAIMS), b"wrong")) == "signature"

    assert one._table[1] == {}

    one.verify(made(), NOW)
    assert len(one._table[1]) == 1


def test_no_more_headers_are_remembered_than_there_is_room_for() -> None:
    """An issuer that puts something new into each header fills no memory, and its tokens are believed all the same."""
    one = verifier()

    assert {answer(one, made({**HEADER, "x": number})) for number in range(200)} == {"ada"}
    assert len(one._table[1]) == 64


def test_a_change_of_keys_forgets_every_header() -> None:
    """A header remembered with a key that is gone would keep the key alive."""
    keys = KeySet([secret_key(SECRET, kid="k1")])
    one: Verifier[Claims] = Verifier(keys, ISSUER, AUDIENCE)
    assert answer(one, made()) == "ada"

    keys.replace([secret_key(bytes(range(64)), kid="k1")])
    assert answer(one, made()) == "signature"
    keys.drop("k1")
    assert answer(one, made()) == "key_unknown"


def test_own_tokens_are_refused_for_the_same_reasons() -> None:
    """Only names that stand twice are not looked for where nobody else could have written them."""
    one = verifier(own=True)

    assert answer(one, made()) == "ada"
    assert answer(one, made(exp="1")) == "payload"
    assert answer(one, made(payload=b"{" + b'"x":' * 9)) == "payload"
    assert answer(one, made(payload=b'{"x":' + b"[" * 4000)) == "payload"
    assert answer(one, made(payload=b'{"sub":"\xff"}')) == "payload"


def test_only_the_token_is_asked_for_what_it_says() -> None:
    """A verifier of another issuer with the same keys refuses."""
    other: Verifier[Claims] = Verifier(KeySet([secret_key(SECRET, kid="k1")]), "https://other.example", AUDIENCE)

    with pytest.raises(TokenError, match="issuer"):
        other.verify(made(), NOW)


def test_a_verifier_that_has_seen_nothing_remembers_nobody() -> None:
    """What stands in the place of the last header refuses everything, should it ever be asked."""
    assert not verifier()._last[2](b"", b"")


def test_tokens_of_two_keys_alternate() -> None:
    """Each header is known after its first token, whichever came last."""
    keys = [secret_key(SECRET, kid="k1"), secret_key(bytes(range(64)), kid="k2")]
    one: Verifier[Claims] = Verifier(KeySet(keys), ISSUER, AUDIENCE)
    second = sealed(b64({**HEADER, "kid": "k2"}), b64(CLAIMS), bytes(range(64)))
    crossed = sealed(b64({**HEADER, "kid": "k2"}), b64(CLAIMS))

    for _ in range(3):
        assert [answer(one, token) for token in (made(), second, crossed)] == ["ada", "ada", "signature"]
    assert len(one._table[1]) == 2


@pytest.mark.parametrize("epoch", [-1, 1.5, "1", [1]])
def test_an_epoch_that_our_issuer_never_writes_is_refused(epoch: object) -> None:
    """Below every epoch, it would be of no use; as anything else, it could not be compared."""
    with pytest.raises(TokenError) as refusal:
        verifier(own=True).verify(made(epoch=epoch), NOW)

    assert refusal.value.reason == "payload"


def test_a_signature_is_genuine_only_under_the_header_and_the_keys_of_the_last() -> None:
    """What is not known this quickly is asked the careful way."""
    keys = KeySet([secret_key(SECRET, kid="k1")])
    one: Verifier[Claims] = Verifier(keys, ISSUER, AUDIENCE)
    assert not one.genuine(made())
    one.verify(made(), NOW)

    assert one.genuine(made())
    assert not one.genuine(made()[:-2])
    assert not one.genuine(made({**HEADER, "x": 1}))
    keys.replace([secret_key(SECRET, kid="k1")])
    assert not one.genuine(made())


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize(("inside", "said"), [(DEPTH - 1, "ada"), (DEPTH, "payload")])
def test_foreign_claims_are_read_so_deep_and_no_deeper(begin: str, end: str, inside: int, said: str) -> None:
    text = json.dumps(CLAIMS, separators=(",", ":"))[:-1] + f',"x":{begin * inside}0{end * inside}}}'

    assert answer(verifier(), made(payload=text.encode())) == said


@pytest.mark.parametrize("payload", [b"[]", b"7", b'"a"', b"null", b"[1]", b'{"sub":"ada","sub":"eve"}'])
def test_foreign_claims_have_one_meaning(payload: bytes) -> None:
    """An object, and no name twice: two parsers would see two people."""
    assert answer(verifier(), made(payload=payload)) == "payload"
    text = json.dumps(CLAIMS, separators=(",", ":"))[:-1].encode() + b',"sub":"eve"}'
    assert answer(verifier(), made(payload=text)) == "payload"
