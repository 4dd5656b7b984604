"""A small world for tests of tokens as a credential: an issuer, its verifier, and what was ended."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from garrison.credentials.jwt import ForeignRights, JwtTokens
from garrison.credentials.protocol import Owners
from garrison.crypto.key import Key, private_key, secret_key
from garrison.crypto.key_set import KeySet
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Header, Request
from garrison.model.principal import Principal
from garrison.policy.plan import Plan
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News
from garrison.testing.clock import ManualClock
from garrison.tokens.cache import CachedVerifier
from garrison.tokens.checker import Checker, Trusted
from garrison.tokens.claims import Claims
from garrison.tokens.issue import Issuer
from garrison.tokens.revocations import Revocations
from garrison.tokens.verifier import Verifier

FOREIGN = "https://login.example.org"
_PRIVATE = ec.generate_private_key(ec.SECP256R1())


class Tokens:
    """One service `notes` with its own issuer and one foreign one."""

    def __init__(
        self,
        *,
        public: bool = False,
        owners: Owners | None = None,
        foreign: Mapping[str, ForeignRights] | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.random = random.Random(5)
        self.records = MemoryRecords(self.clock, bytes(32))
        self.news = News(alone=True)
        self.revoked = Revocations(self.news)
        self.keys = KeySet([_key("own", public=public)])
        self.foreign_keys = KeySet([_key("theirs", public=True)])
        own: Verifier[Claims] = Verifier(self.keys, "notes", "notes", own=True)
        other: Verifier[Claims] = Verifier(self.foreign_keys, FOREIGN, "notes")
        trusted = [Trusted(CachedVerifier(own) if public else own), Trusted(CachedVerifier(other))]
        checker = Checker(trusted, self.revoked, self.records)
        self.credential = JwtTokens(checker, "notes", "notes", foreign, owners)

    def issue(self, subject: str, *, issuer: str = "notes", now: int = 0, **claims: Any) -> str:
        keys = self.foreign_keys if issuer == FOREIGN else self.keys
        issued = Issuer(keys, issuer, "notes").issue(subject, now or self.clock.wall(), self.random.randbytes, **claims)
        return issued.token

    def header(self, token: str) -> Header:
        return b"authorization", b"Bearer " + token.encode()

    def revoke(self, token: str) -> None:
        claims: Claims = Verifier(self.keys, "notes", "notes", own=True).verify(token, self.clock.wall())
        ending = self.revoked.token(claims.iss, claims.jti, claims.expires, self.clock.wall(), self.random.randbytes)
        drive(self.revoked.end(self.records, [ending]))

    def ask(self, token: str, *further: Header) -> Principal | Refusal | None:
        return self.judge([self.header(token), *further])

    def judge(self, headers: Sequence[Header]) -> Principal | Refusal | None:
        request = Request("GET", "/", headers)
        found = self.credential.find(request)
        if found is None or isinstance(found, Refusal):
            return found
        plan = Plan(route="GET /", template="/")
        now, monotonic = self.clock.wall(), self.clock.monotonic()
        return drive(self.credential.believe(found, request, "", plan, now, monotonic))


def _key(kid: str, *, public: bool) -> Key:
    return private_key(_PRIVATE, "ES256", kid) if public else secret_key(random.Random(kid).randbytes(32), kid=kid)
