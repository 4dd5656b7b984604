"""Tokens nobody may believe, each with the reason: what verifiers have got wrong, collected.

Most carry a right HMAC, so that nothing but the rule in question can refuse them.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.tokens.making import CLAIMS, HEADER, SECRET, b64, made, sealed

__all__ = ["HOSTILE"]

GOOD = made()
HEAD, BODY, MAC = GOOD.split(b".")
PUBLIC = rsa.generate_private_key(65537, 2048).public_key()
PEM = PUBLIC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = PUBLIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def headed(**members: Any) -> bytes:
    """A right HMAC under a changed header."""
    return made({name: value for name, value in {**HEADER, **members}.items() if value is not ...})


def raw_payload(text: bytes) -> bytes:
    """The claims as JSON text, with something spliced in before the end."""
    return made(payload=json.dumps(CLAIMS)[:-1].encode() + b"," + text + b"}")


def nested(text: str, depth: int) -> bytes:
    return b'"x":' + text.encode() * depth


NOT_ALGORITHMS = ["none", "None", "NONE", "nOnE", "none ", "", "HS256 ", "hs256", "HS1", "XX", "RS256\0", "HS256\n"]
MEMBERS = {name: json.dumps({name: value})[1:-1].encode() for name, value in CLAIMS.items()}
TWICE = {name: MEMBERS[name] for name in ("exp", "sub", "iss", "scope")}
WITHOUT_EXP = b",".join(text for name, text in MEMBERS.items() if name != "exp")
NUMBERS = {
    "NaN": b'"exp":NaN',
    "Infinity": b'"exp":Infinity',
    "-Infinity": b'"exp":-Infinity',
    "1e400": b'"exp":1e400',
    "of 5,000 digits": b'"exp":' + b"9" * 5000,
}
ODD_EXP = {"text": "1900000000", "true": True, "list": [1900000000], "null": "null", "object": {"n": 1}, "negative": -1}

HOSTILE: dict[str, tuple[bytes, str]] = {
    # Framing
    "empty": (b"", "form"),
    "one part": (HEAD, "form"),
    "two parts": (HEAD + b"." + BODY, "form"),
    "four parts": (GOOD + b".", "form"),
    "five parts": (GOOD + b".a.b", "form"),
    "only dots": (b"..", "header"),
    "no signature": (HEAD + b"." + BODY + b".", "signature"),
    "no header": (b"." + BODY + b"." + MAC, "header"),
    "no payload": (sealed(HEAD, b""), "payload"),
    "1 MiB of payload": (made(pad="a" * (1 << 20)), "too_long"),
    "8 KiB and one": (b"a" * 8193, "too_long"),
    "JSON serialization": (
        json.dumps({"protected": HEAD.decode(), "payload": BODY.decode(), "signature": MAC.decode()}).encode(),
        "form",
    ),
    "blank before": (b" " + GOOD, "header"),
    "blank after": (GOOD + b" ", "signature"),
    "newline after": (GOOD + b"\n", "signature"),
    "Bearer before": (b"Bearer " + GOOD, "header"),
    # Base64
    "padding on the signature": (GOOD + b"=", "signature"),
    "padding on the header, resealed": (sealed(HEAD + b"=" * (-len(HEAD) % 4 or 4), BODY), "header"),
    "padding on the payload, resealed": (sealed(HEAD, BODY + b"=" * (-len(BODY) % 4 or 4)), "payload"),
    "blank in the payload, resealed": (sealed(HEAD, BODY[:9] + b" " + BODY[9:]), "payload"),
    "newline in the header, resealed": (sealed(HEAD[:9] + b"\n" + HEAD[9:], BODY), "header"),
    "standard alphabet": (sealed(HEAD, b"+/+/"), "payload"),
    "percent": (sealed(HEAD, BODY + b"%3D"), "payload"),
    "length of no value": (sealed(HEAD, BODY[: len(BODY) // 4 * 4 + 1].ljust(len(BODY) // 4 * 4 + 1, b"A")), "payload"),
    "unused bits of the signature": (GOOD[:-1] + LETTERS[LETTERS.index(GOOD[-1]) ^ 1 :][:1], "signature"),
    "letters of another script": (GOOD[:-4] + "ａｂ".encode(), "signature"),
    # Signature
    "one bit of the signature": (GOOD[:-2] + (b"A" if GOOD[-2:-1] != b"A" else b"B") + GOOD[-1:], "signature"),
    "half a signature": (GOOD[: -len(MAC) // 2], "signature"),
    "another secret": (sealed(HEAD, BODY, bytes(range(32))), "signature"),
    "an empty secret": (sealed(HEAD, BODY, b""), "signature"),
    "HS512 under the name HS256": (sealed(HEAD, BODY, SECRET, "sha512"), "signature"),
    "the secret of the PEM": (sealed(HEAD, BODY, PEM), "signature"),
    "the secret of the DER": (sealed(HEAD, BODY, DER), "signature"),
    "another payload": (HEAD + b"." + b64({**CLAIMS, "sub": "admin"}) + b"." + MAC, "signature"),
    # Header
    **{f"alg {name!r}": (headed(alg=name), "algorithm") for name in NOT_ALGORITHMS},
    "alg none without signature": (b64({**HEADER, "alg": "none"}) + b"." + BODY + b".", "algorithm"),
    "alg of a list": (headed(alg=["HS256"]), "header"),
    "no alg": (headed(alg=...), "header"),
    "alg RS256 for a secret": (headed(alg="RS256"), "key_unknown"),
    "alg HS512 for a key of HS256": (headed(alg="HS512"), "key_unknown"),
    "alg EdDSA": (headed(alg="EdDSA"), "key_unknown"),
    "unknown crit": (headed(crit=["x"], x=1), "critical"),
    "empty crit": (headed(crit=[]), "critical"),
    "crit of exp": (headed(crit=["exp"]), "critical"),
    "crit of text": (headed(crit="exp"), "critical"),
    "b64 false": (headed(b64=False, crit=["b64"]), "critical"),
    "b64 false without crit": (headed(b64=False), "critical"),
    "kid of a list": (headed(kid=["k1"]), "header"),
    "kid of an object": (headed(kid={"k1": 1}), "header"),
    "kid of a number": (headed(kid=1), "header"),
    "kid unknown": (headed(kid="k2"), "key_unknown"),
    "kid a path": (headed(kid="../../../../dev/null"), "key_unknown"),
    "kid an injection": (headed(kid="k1' OR '1'='1"), "key_unknown"),
    "kid with NUL": (headed(kid="k1\0"), "key_unknown"),
    "typ of another kind": (headed(typ="dpop+jwt"), "typ"),
    "typ JWT": (headed(typ="JWT"), "typ"),
    "no typ": (headed(typ=...), "typ"),
    "typ of a list": (headed(typ=["at+jwt"]), "header"),
    "a name twice in the header": (
        made(b'{"alg":"none","alg":"HS256","kid":"k1","typ":"at+jwt"}'),
        "header",
    ),
    "a name twice in the header, once escaped": (
        made(b'{"alg":"HS256","kid":"k1","typ":"at+jwt","\\u0061lg":"none"}'),
        "header",
    ),
    "header with byte order mark": (made(b"\xef\xbb\xbf" + json.dumps(HEADER).encode()), "header"),
    "header in UTF-16": (made(json.dumps(HEADER).encode("utf-16")), "header"),
    "header in Latin-1": (made(b'{"alg":"HS256","kid":"k1","typ":"at+jwt","x":"\xe9"}'), "header"),
    "header a list": (made([HEADER]), "header"),
    "header a text": (made("HS256"), "header"),
    "header of 3 KiB": (headed(x="a" * 3000), "header"),
    "header 700 deep": (made(b'{"alg":"HS256","x":' + b"[" * 700), "header"),
    # Payload
    **{f"{name} twice": (raw_payload(text), "payload") for name, text in TWICE.items()},
    "exp twice, once escaped": (raw_payload(b'"\\u0065xp":9999999999'), "payload"),
    "a name twice deep inside": (raw_payload(b'"x":{"a":1,"a":2}'), "payload"),
    "payload with byte order mark": (made(payload=b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()), "payload"),
    "payload in UTF-16": (made(payload=json.dumps(CLAIMS).encode("utf-16")), "payload"),
    "payload in UTF-32": (made(payload=json.dumps(CLAIMS).encode("utf-32-le")), "payload"),
    "payload in Latin-1": (raw_payload(b'"x":"\xe9"'), "payload"),
    "half a surrogate pair": (raw_payload(b'"x":"\\ud800"'), "payload"),
    "payload a list": (made(payload=[CLAIMS]), "payload"),
    "payload a text": (made(payload="claims"), "payload"),
    "payload null": (made(payload=b"null"), "payload"),
    "payload a token": (made(payload=GOOD), "payload"),
    "payload of nothing": (made(payload=b""), "payload"),
    "payload and more": (made(payload=json.dumps(CLAIMS).encode() + b"{}"), "payload"),
    "payload 5,000 deep, lists": (raw_payload(nested("[", 5000)), "payload"),
    "payload deep, objects": (raw_payload(nested('{"x":', 1000)), "payload"),
    "payload deep and closed": (raw_payload(nested("[", 2000) + b"]" * 2000), "payload"),
    "a control character": (raw_payload(b'"x":"\x01"'), "payload"),
    # Claims
    **{
        f"exp {name}": (made(payload=b"{" + WITHOUT_EXP + b"," + text + b"}"), "payload")
        for name, text in NUMBERS.items()
    },
    **{f"exp is {name}": (made(exp=value), "payload") for name, value in ODD_EXP.items()},
    "no exp": (made(exp=None), "claim_missing"),
    "no sub": (made(sub=None), "claim_missing"),
    "no iat": (made(iat=None), "claim_missing"),
    "no jti": (made(jti=None), "claim_missing"),
    "no iss": (made(iss=None), "claim_missing"),
    "no aud": (made(aud=None), "claim_missing"),
    "empty sub": (made(sub=""), "payload"),
    "sub of a number": (made(sub=7), "payload"),
    "jti of a list": (made(jti=["j1"]), "payload"),
    "iss of a list": (made(iss=["https://id.example.com"]), "payload"),
    "iss longer": (made(iss="https://id.example.com.evil.example"), "issuer"),
    "iss a prefix": (made(iss="https://id.example"), "issuer"),
    "iss with a slash": (made(iss="https://id.example.com/"), "issuer"),
    "iss in capitals": (made(iss="HTTPS://ID.EXAMPLE.COM"), "issuer"),
    "aud of somebody else": (made(aud="https://other.example.com"), "audience"),
    "aud longer": (made(aud="https://api.example.com/v2"), "audience"),
    "aud a letter of it": (made(aud=["h"]), "audience"),
    "aud empty": (made(aud=[]), "audience"),
    "aud of lists": (made(aud=[["https://api.example.com"]]), "payload"),
    "aud of a number": (made(aud=1), "payload"),
    "expired a second ago": (made(exp=CLAIMS["iat"] + 9), "expired"),
    "expires at this instant": (made(exp=CLAIMS["iat"] + 10), "expired"),
    "expired in 1970": (made(exp=0), "expired"),
    "expires after the year 9999": (made(exp=10**15), "payload"),
    "valid in a second": (made(nbf=CLAIMS["iat"] + 11), "not_yet"),
    "valid next year": (made(nbf=CLAIMS["iat"] + 10**7), "not_yet"),
    "nbf is text": (made(nbf="0"), "payload"),
    "issued in two minutes": (made(iat=CLAIMS["iat"] + 130), "issued_later"),
    "iat is true": (made(iat=True), "payload"),
    "bound to a key": (made(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), "bound"),
    "scope of a list": (made(scope=["notes:read"]), "payload"),
}
"""Name: the token, and the reason it is refused for."""
