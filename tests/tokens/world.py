"""A deployment in memory: one store, as many processes as a test wants, and a clock that stands still."""

from __future__ import annotations

import os
from typing import Any

from garrison.crypto.ring import KeyRing
from garrison.errors import StoreError, TokenError
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.model.http.fetch import Fetched
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News
from garrison.stores.protocols import Query
from garrison.testing.clock import ManualClock
from garrison.tokens import Claims, Issuer, KeySet, Revocations, Verifier, new_jwk, read_jwk
from tests.tokens.making import AUDIENCE, ISSUER

__all__ = ["RING", "ROOT", "Deployment", "Process", "Publisher", "reason"]

ROOT = bytes(range(32))
RING = KeyRing([ROOT])


class Deployment:
    """What all processes share."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.records = MemoryRecords(self.clock, bytes(range(40)))

    def process(self, keys: KeySet | None = None) -> Process:
        """Start one more."""
        return Process(self, keys)

    def events(self, code: str = "") -> list[Event]:
        """What is in the journal."""
        return [sealed.event for sealed in drive(self.records.read(Query(code=code)))]


class Process:
    """One process: news, revocations, an issuer and a verifier of the same keys."""

    def __init__(self, deployment: Deployment, keys: KeySet | None = None) -> None:
        self.clock = deployment.clock
        self.records: Any = deployment.records
        self.news = News()
        self.revoked = Revocations(self.news)
        self.keys = KeySet([read_jwk(new_jwk("ES256", os.urandom))]) if keys is None else keys
        self.issuer = Issuer(self.keys, ISSUER, AUDIENCE)
        self.verifier: Verifier[Claims] = Verifier(self.keys, ISSUER, AUDIENCE, own=True)

    @property
    def now(self) -> int:
        return self.clock.wall()

    def poll(self) -> None:
        """Hear what others did."""
        drive(self.news.poll(self.records, self.clock.wall(), self.clock.monotonic()))

    def issue(self, subject: str = "ada", **parts: Any) -> str:
        return self.issuer.issue(subject, self.now, os.urandom, **parts).token

    def answer(self, token: str, one: Any = None) -> str:
        """Who is believed, or why nobody is."""
        return reason(lambda: (self.verifier if one is None else one).verify(token, self.now, self.revoked).sub)


def reason(act: Any) -> str:
    """What comes out: a value, the reason of a refusal, or `unavailable`."""
    try:
        return str(act())
    except TokenError as error:
        return error.reason
    except StoreError:
        return "unavailable"


class Publisher:
    """An issuer elsewhere; a `Fetch` that counts how often it was asked."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.status = 200
        self.down = False
        self.asked = 0

    async def __call__(self, url: str) -> Fetched:
        self.asked += 1
        if self.down:
            raise StoreError("down")
        return Fetched(self.status, {}, self.document)
