"""Garrison, PyJWT and joserfc are given the same tokens; every difference is one that the docs explain."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple, Self

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose_jwt
from joserfc.errors import JoseError

from garrison.errors import TokenError
from garrison.tokens import Claims, Issuer, KeySet, Verifier, new_jwk, public_jwk, read_jwk, secret_key
from tests.tokens.making import AUDIENCE, CLAIMS, HEADER, ISSUER, SECRET, b64, sealed

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "jwt-differences.md"
NOW = int(time.time())
"""Seconds; for all three, however long after this line a test comes."""

REQUIRED = ["iss", "aud", "exp", "sub", "iat", "jti"]
TIMES = {"exp": NOW + 600, "nbf": NOW - 60, "iat": NOW - 60}


class Stopped(datetime):
    """The clock that PyJWT reads by itself."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Tell the same instant at all times."""
        return cls.fromtimestamp(NOW, tz)


@pytest.fixture(scope="module", autouse=True)
def one_clock() -> Iterator[None]:
    """Stop PyJWT's clock where the others' stands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwt.api_jwt.datetime", Stopped)
        yield


class Verdicts(NamedTuple):
    """Whether each takes the token."""

    garrison: bool
    pyjwt: bool
    joserfc: bool


def garrison_takes(token: bytes, key: Any, alg: str) -> bool:
    one: Verifier[Claims] = Verifier(KeySet([key]), ISSUER, AUDIENCE)
    try:
        return bool(one.verify(token, NOW * 1_000_000).iss)
    except TokenError:
        return False


def pyjwt_takes(token: bytes, key: Any, alg: str) -> bool:
    """With everything demanded that it can be asked to demand."""
    try:
        pyjwt.decode(token, key, [alg], {"require": REQUIRED}, issuer=ISSUER, audience=AUDIENCE)
    except pyjwt.InvalidTokenError:
        return False
    return True


REGISTRY = jose_jwt.JWTClaimsRegistry(
    now=NOW,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    **{name: {"essential": True} for name in ("exp", "sub", "iat", "jti")},  # type: ignore[arg-type]  # a TypedDict
)


def joserfc_takes(token: bytes, key: Any, alg: str) -> bool:
    """With everything demanded that it can be asked to demand; what else escapes it is a refusal here."""
    try:
        REGISTRY.validate(jose_jwt.decode(token, key, [alg]).claims)
    except (JoseError, RecursionError):
        return False
    return True


HMAC = secret_key(SECRET, kid="k1"), SECRET, jose_jwk.OctKey.import_key(SECRET, {"kid": "k1", "alg": "HS256"})


def verdicts(token: bytes) -> Verdicts:
    takes = garrison_takes, pyjwt_takes, joserfc_takes
    return Verdicts(*(take(token, key, "HS256") for take, key in zip(takes, HMAC, strict=True)))


def rows() -> set[str]:
    """The rows of the page."""
    return set(re.findall(r"^\| `([a-z]+)` \|", PAGE.read_text(), re.MULTILINE))


class Draft:
    """A token in the making."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = dict(HEADER)
        self.claims: dict[str, Any] = {**CLAIMS, **TIMES}
        self.header_text: Callable[[bytes], bytes] = lambda text: text
        self.claims_text: Callable[[bytes], bytes] = lambda text: text
        self.framed: Callable[[bytes], bytes] = lambda token: token
        self.secret = SECRET

    def token(self) -> bytes:
        header, claims = (json.dumps(part).encode() for part in (self.header, self.claims))
        return self.framed(sealed(b64(self.header_text(header)), b64(self.claims_text(claims)), self.secret))


class Change(NamedTuple):
    """Something done to a good token, and the row that explains why verifiers may differ about it."""

    name: str
    row: str
    act: Callable[[Draft], Any]


def _claim(name: str, row: str, *values: Any) -> list[Change]:
    def sets(value: Any) -> Callable[[Draft], Any]:
        return lambda draft: draft.claims.update({name: value})

    return [Change(f"{name}={value!r:.40}", row, sets(value)) for value in values]


def _without(*names: str) -> list[Change]:
    def drops(name: str) -> Callable[[Draft], Any]:
        return lambda draft: draft.claims.pop(name, None)

    return [Change(f"no {name}", "", drops(name)) for name in names]


def _head(row: str, **members: Any) -> Change:
    return Change(f"header {members!r:.60}", row, lambda draft: draft.header.update(members))


def _text(name: str, row: str, text: Callable[[bytes], bytes]) -> list[Change]:
    return [
        Change(f"{name} in the header", row, lambda draft: setattr(draft, "header_text", text)),
        Change(f"{name} in the claims", row, lambda draft: setattr(draft, "claims_text", text)),
    ]


def _framed(name: str, row: str, framed: Callable[[bytes], bytes]) -> Change:
    return Change(name, row, lambda draft: setattr(draft, "framed", framed))


def _nest(text: bytes) -> bytes:
    return text[:-1] + b',"x":' + b"[" * 30 + b"]" * 30 + b"}"


CHANGES = [
    *_claim("exp", "", NOW - 60, NOW + 60, NOW + 60.5, 0, True, [NOW], {"a": 1}),
    *_claim("exp", "type", str(NOW + 60), 10**15, -1, None),
    *_claim("nbf", "", NOW + 60, 0, NOW - 5000.25),
    *_claim("nbf", "type", str(NOW - 60), True, None),
    *_claim("iat", "", NOW - 5000, 0, NOW + 5000),
    *_claim("iat", "ahead", NOW + 30),
    *_claim("iat", "type", True, str(NOW), None),
    *_claim("iss", "", "https://other.example", ISSUER + "/"),
    *_claim("iss", "type", [ISSUER], "", None),
    *_claim("aud", "", "other", [AUDIENCE], ["x", AUDIENCE], [], ["x"], {"a": AUDIENCE}, 7),
    *_claim("aud", "type", [AUDIENCE, 7], None, ""),
    *_claim("sub", "", "bob", "ä", 7, ["x"]),
    *_claim("sub", "type", "", None),
    *_claim("jti", "", "x" * 100),
    *_claim("jti", "type", 7, "", None, ["x"]),
    *_claim("scope", "type", ["a"], 7, None),
    *_claim("cnf", "bound", {"jkt": "x"}),
    *_claim("anything", "", 1, [1, 2], {"a": {"b": None}}, 1e300, True, None, "é\u2028"),
    *_without(*REQUIRED, "nbf", "scope"),
    *[_head("", alg=alg) for alg in ("none", "None", "HS512", "RS256", "", "ES256", 7, None, ["HS256"])],
    *[_head("", **extra) for extra in ({"cty": "JWT"}, {"x5t": "abc"}, {"jku": "https://evil.example"})],
    _head("parameter", zzz=1),
    _head("crit", crit=["exp"]),
    _head("crit", crit=[]),
    _head("crit", crit=["b64"], b64=False),
    _head("kid", kid="k2"),
    _head("kid", kid=7),
    _head("typ", typ="JWT"),
    _head("typ", typ="at+JWT"),
    _head("typ", typ=["x"]),
    _head("size", x5u="https://example.com/" + "a" * 700),
    Change("no kid", "", lambda draft: draft.header.pop("kid", None)),
    Change("no typ", "typ", lambda draft: draft.header.pop("typ", None)),
    Change("no alg", "", lambda draft: draft.header.pop("alg", None)),
    Change("another secret", "", lambda draft: setattr(draft, "secret", bytes(range(64)))),
    Change("8 KiB of claims", "size", lambda draft: draft.claims.update(pad="a" * 8192)),
    *_text("a byte order mark", "encoding", lambda text: b"\xef\xbb\xbf" + text),
    *_text("UTF-16", "encoding", lambda text: text.decode().encode("utf-16")),
    *_text("UTF-32", "encoding", lambda text: text.decode().encode("utf-32")),
    *_text("Latin-1", "", lambda text: text[:-1] + b',"x":"\xe9"}'),
    *_text("a name twice", "duplicate", lambda text: text[:-1] + b"," + text[1:]),
    *_text("half a surrogate pair", "surrogate", lambda text: text[:-1] + b',"x5t":"\\ud800"}'),
    *_text("thirty brackets", "depth", _nest),
    *_text("a list", "", lambda text: b"[" + text + b"]"),
    *_text("two objects", "", lambda text: text + text),
    *_text("no JSON", "", lambda text: text[:-1]),
    *_text("blanks around", "", lambda text: b" \n" + text + b"\r\n"),
    *_text("NaN", "number", lambda text: text[:-1] + b',"x5t":NaN}'),
    *_text("1e400", "number", lambda text: text[:-1] + b',"x5t":1e400}'),
    _framed("padding", "padding", lambda token: token + b"="),
    _framed("a blank after", "", lambda token: token + b" "),
    _framed("a newline after", "", lambda token: token + b"\n"),
    _framed("a dot after", "", lambda token: token + b"."),
    _framed("a dot less", "", lambda token: token.replace(b".", b"", 1)),
    _framed("cut", "", lambda token: token[:-1]),
    _framed("unused bits", "", lambda token: token[:-1] + (b"B" if token[-1:] != b"B" else b"C")),
    _framed("no signature", "", lambda token: token.rpartition(b".")[0] + b"."),
    _framed("letters swapped", "", bytes.swapcase),
]


def test_the_token_all_changes_are_made_to_is_taken_by_all() -> None:
    """Else agreement would mean nothing."""
    assert verdicts(Draft().token()) == Verdicts(garrison=True, pyjwt=True, joserfc=True)


def test_the_page_has_a_row_for_every_change_and_no_other() -> None:
    """And each row is needed: some token shows the difference."""
    shown = set()
    for change in CHANGES:
        draft = Draft()
        change.act(draft)
        if len(set(verdicts(draft.token()))) > 1:
            shown.add(change.row)

    assert shown == rows() == {change.row for change in CHANGES} - {""}


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_one_change_is_judged_alike_or_as_its_row_says(change: Change) -> None:
    """Where a row says that Garrison takes what others may refuse, it does; else it is the stricter one."""
    draft = Draft()
    change.act(draft)

    found = verdicts(draft.token())

    if change.row == "":
        assert len(set(found)) == 1, found
    elif change.row in {"parameter", "ahead"}:
        assert found.garrison, found


@given(st.lists(st.sampled_from(CHANGES), max_size=4))
def test_any_changes_together_differ_only_by_rows(changes: list[Change]) -> None:
    """What all others refuse, Garrison takes only by a row that says so."""
    draft = Draft()
    for change in changes:
        change.act(draft)

    found = verdicts(draft.token())

    explained = {change.row for change in changes} - {""}
    assert len(set(found)) == 1 or explained, (found, changes)
    if found.garrison and not (found.pyjwt and found.joserfc):
        assert explained & {"parameter", "ahead", "typ", "kid", "type", "size"}, (found, changes)


@given(st.integers(0, 10_000), st.sampled_from("ABCabc012_-. "), st.sampled_from(["put", "cut", "add"]))
def test_a_letter_changed_anywhere_is_judged_alike(place: int, letter: str, how: str) -> None:
    """In header, claims and signature."""
    token = Draft().token().decode()
    place %= len(token)
    changed = token[:place] + ("" if how == "cut" else letter) + token[place + (how != "add") :]

    assert len(set(verdicts(changed.encode()))) == 1


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("alg", ["HS256", "RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"])
def test_what_one_issues_the_others_take(alg: str) -> None:
    """In all directions, for every algorithm that all of them have."""
    new = (
        {"kty": "oct", "k": b64(SECRET).decode()}
        if alg == "HS256"
        else new_jwk(alg.replace("EdDSA", "Ed25519"), os.urandom)
    )
    jwk: dict[str, Any] = {**new, "alg": alg, "kid": "k1"}
    key = read_jwk(jwk)
    public: dict[str, Any] = jwk if alg == "HS256" else {**public_jwk(key)}
    header = {"alg": alg, "kid": "k1", "typ": "at+jwt"}
    claims = {**CLAIMS, **TIMES}
    theirs = pyjwt.PyJWK({**jwk, "alg": "EdDSA"} if alg == "Ed25519" else jwk)
    tokens = [
        Issuer(KeySet([key]), ISSUER, AUDIENCE).issue("ada", NOW * 1_000_000 - 60_000_000, os.urandom).token,
        jose_jwt.encode(header, claims, jose_jwk.import_key(jwk), [alg]),
    ]
    if alg != "Ed25519":  # a name that PyJWT does not know yet
        tokens.append(pyjwt.encode(claims, theirs.key, alg, {"kid": "k1", "typ": "at+jwt"}))

    for token in tokens:
        assert garrison_takes(token.encode(), read_jwk(public), alg)
        assert joserfc_takes(token.encode(), jose_jwk.import_key(public), alg)
        if alg != "Ed25519":
            checks = SECRET if alg == "HS256" else pyjwt.PyJWK(public).key
            assert pyjwt_takes(token.encode(), checks, alg)
