"""Tokens made by hand, without the code that is tested: hmac, base64 and json of the standard library."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

from garrison.crypto.key import secret_key
from garrison.crypto.key_set import KeySet
from garrison.testing.clock import START
from garrison.tokens import Verifier

__all__ = ["AUDIENCE", "CLAIMS", "HEADER", "ISSUER", "NOW", "SECRET", "b64", "made", "sealed", "verifier"]

ISSUER, AUDIENCE = "https://id.example.com", "https://api.example.com"
SECRET = bytes(range(100, 164))
NOW = START
"""Wall microseconds of every test."""

_SECONDS = NOW // 1_000_000
HEADER: dict[str, Any] = {"alg": "HS256", "kid": "k1", "typ": "at+jwt"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada",
    "exp": _SECONDS + 600,
    "nbf": _SECONDS - 10,
    "iat": _SECONDS - 10,
    "jti": "j1",
    "scope": "notes:read",
}


def b64(value: Any) -> bytes:
    """Base64url of bytes, or of JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return urlsafe_b64encode(raw).rstrip(b"=")


def sealed(header: bytes, payload: bytes, secret: bytes = SECRET, algorithm: str = "sha256") -> bytes:
    """Three segments: the first two as given, and a right HMAC over them."""
    message = header + b"." + payload
    return message + b"." + b64(hmac.digest(secret, message, algorithm))


def made(header: Any = None, payload: Any = None, **claims: Any) -> bytes:
    """A token with a right HMAC; `None` takes a claim out."""
    merged = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return sealed(b64(HEADER if header is None else header), b64(merged if payload is None else payload))


def verifier(**parts: Any) -> Verifier[Any]:
    """One that believes them."""
    return Verifier(KeySet([secret_key(SECRET, "HS256", "k1")]), ISSUER, AUDIENCE, **parts)
