"""What does it cost to believe a token? Rivals: PyJWT in two versions, joserfc, and the bare call of `cryptography`.

Claims of 269 bytes, the same token for all: issuer, audience, expiry and beginning checked, required claims
demanded. Ours checks the kind, and token, session and subject against 3,000 endings besides; PyJWT and joserfc
have no revocation. HMAC is measured through the checker, driven; the public-key algorithms through the
verifier of our own tokens. PyJWT 2.13.0 is measured as well, because 2.14 made it much slower, and a ratio
against the newest alone would flatter us. Not measured: key loading, which all do once, and the network.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import jwt as pyjwt_newest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose_jwt

from benchmarks.figure import Figure, Work, compare, figure, medians
from garrison.crypto import base64
from garrison.crypto.jws import seal_token, write_header
from garrison.guard.drive import drive
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News
from garrison.testing.clock import START, ManualClock
from garrison.tokens import CachedVerifier, Claims, Key, KeySet, Revocations, Verifier, new_jwk, read_jwk, secret_key
from garrison.tokens.checker import Checker, Trusted

__all__ = ["figures"]

OLDER = Path("build/rivals/pyjwt-2.13.0")
ENDINGS = 1_000
ISSUER, AUDIENCE = "https://id.example.com", "https://api.example.com"
SECONDS = START // 1_000_000
CLAIMS = {
    "iss": ISSUER,
    "sub": "user-1234567890",
    "aud": AUDIENCE,
    "exp": SECONDS + 3600,
    "nbf": 1_700_000_000,
    "iat": 1_700_000_000,
    "jti": "a3f9c2e1d4b5968778695a4b3c2d1e0f",
    "scope": "tasks:read tasks:write profile",
    "client_id": "web-frontend",
    "tenant": "acme",
}


def figures() -> list[Figure]:
    """Measure; a minute."""
    return [*_hmac(), *_public(), _remembered()]


class Subject:
    """A token of one algorithm, and everything that verifies it."""

    def __init__(self, alg: str) -> None:
        secret = os.urandom(64)
        key: Any = secret_key(secret) if alg == "HS256" else _private(alg)
        self.key = key
        self.secret = secret
        payload = json.dumps(CLAIMS, separators=(",", ":")).encode()
        self.token = seal_token(key, write_header(key, "at+jwt"), payload)
        self.revoked = _revocations()
        self.verifier: Verifier[Claims] = Verifier(KeySet([self.key]), ISSUER, AUDIENCE, own=True)
        records = MemoryRecords(ManualClock(), os.urandom(32))
        self.checker = Checker([Trusted(self.verifier)], self.revoked, records)

    def driven(self) -> Work:
        check, token = self.checker.check, self.token
        return lambda: drive(check(token, START, 0))

    def verify(self) -> Work:
        return partial(self.verifier.verify, self.token, START, self.revoked)

    def bare(self) -> Work:
        """The signature alone, with everything prepared."""
        message, _, text = self.token.encode().rpartition(b".")
        signature = base64.decode(text) or b""
        verify = self.key.public.verify
        if self.key.alg == "ES256":
            r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
            return partial(verify, encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        if self.key.alg == "RS256":
            return partial(verify, signature, message, padding.PKCS1v15(), hashes.SHA256())
        return partial(verify, signature, message)


def _private(alg: str) -> Key:
    return read_jwk({**new_jwk(alg, os.urandom), "kid": "2026-11"})


def _revocations() -> Revocations:
    """A thousand ended tokens, sessions and subjects of the same issuer."""
    revoked = Revocations(News(alone=True))
    records = MemoryRecords(ManualClock(), os.urandom(32))
    for number in range(ENDINGS):
        name = f"ended-{number}"
        endings = [
            revoked.token(ISSUER, name, START + 10**9, START, os.urandom),
            revoked.session(ISSUER, name, START, os.urandom),
        ]
        drive(revoked.end(records, endings))
        drive(revoked.end_subject(records, ISSUER, name, START, os.urandom, tenant="acme"))
    return revoked


def _hmac() -> list[Figure]:
    subject = Subject("HS256")
    older = _older_pyjwt()
    works: list[Work] = [
        subject.driven(),
        partial(_pyjwt, pyjwt_newest, subject.token, subject.secret),
        partial(_pyjwt, older, subject.token, subject.secret),
        partial(_joserfc, subject.token, jose_jwk.OctKey.import_key(subject.secret)),
    ]
    ours, newest, old, joserfc = medians(*works)
    name = "HS256 verify, every claim and revocation, driven, against "
    return [
        figure(f"{name}PyJWT {pyjwt_newest.__version__}", ours, newest, bar=1 / 10),
        figure(f"{name}PyJWT {older.__version__}", ours, old, bar=1 / 4),
        figure(f"{name}joserfc", ours, joserfc, bar=1 / 4),
    ]


def _public() -> list[Figure]:
    found = []
    for alg, bar, calls in (("ES256", 1.1, 200), ("Ed25519", 1.1, 150), ("RS256", 1.2, 500)):
        subject = Subject(alg)
        times = compare(subject.verify(), subject.bare(), rounds=41, calls=calls)
        found.append(figure(f"{alg} verify of our own token against the bare cryptography call", *times, bar=bar))
    return found


def _remembered() -> Figure:
    subject = Subject("RS256")
    cached = CachedVerifier(subject.verifier)
    again = partial(cached.verify, subject.token, START, subject.revoked)
    return figure("remembered token against RS256 verify", *compare(again, subject.verify(), calls=500), bar=1 / 10)


def _pyjwt(module: ModuleType, token: str, key: Any) -> object:
    required = {"require": ["iss", "aud", "exp", "sub", "iat", "jti"]}
    return module.decode(token, key, algorithms=["HS256"], options=required, issuer=ISSUER, audience=AUDIENCE)


_REGISTRY = jose_jwt.JWTClaimsRegistry(
    now=SECONDS,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
    sub={"essential": True},
    iat={"essential": True},
    jti={"essential": True},
)


def _joserfc(token: str, key: Any) -> None:
    _REGISTRY.validate(jose_jwt.decode(token, key, ["HS256"]).claims)


def _older_pyjwt() -> ModuleType:
    """Import PyJWT 2.13.0 beside the installed one; `make bench` puts it there.

    Raises:
        RuntimeError: It is not there.
    """
    if not OLDER.is_dir():
        msg = f"{OLDER} is missing; run: make bench"
        raise RuntimeError(msg)
    newest = {name: sys.modules.pop(name) for name in list(sys.modules) if name == "jwt" or name.startswith("jwt.")}
    sys.path.insert(0, str(OLDER))
    try:
        import jwt as older
    finally:
        sys.path.remove(str(OLDER))
        for name in [name for name in sys.modules if name == "jwt" or name.startswith("jwt.")]:
            del sys.modules[name]
        sys.modules.update(newest)
    return older
