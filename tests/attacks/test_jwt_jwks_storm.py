"""Tokens make us fetch, or wait, or trust what an issuer never said.

GHSA-2gx3 (unknown kid refresh storm), GHSA-fhv5-28vv-h8m8 (one failed fetch wipes the cache), CVE-2025-59936
(one issuer's keys in another's cache).
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Sequence
from typing import Any

from garrison.egress import AwaitingFetch, Rules
from garrison.guard.drive import drive
from garrison.tokens import Claims, Issuer, KeySet, Verifier, new_jwk, public_jwk, read_jwk
from garrison.tokens.checker import Checker, Trusted
from garrison.tokens.jwks import BUDGET, Jwks
from tests.egress.server import HOST, body, serving, trust
from tests.tokens.making import AUDIENCE, b64
from tests.tokens.world import Deployment, Publisher, reason

HOUR = 3_600_000_000
KEY, OTHER = (read_jwk(new_jwk("ES256", os.urandom)) for _ in range(2))
A, B = "https://a.example", "https://b.example"


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": [public_jwk(key) for key in keys]}).encode()


class Trusting:
    """A process that trusts issuers A and B."""

    def __init__(self, a: Publisher, b: Publisher) -> None:
        self.process = Deployment().process()
        self.sources = {A: Jwks(A + "/jwks.json", a), B: Jwks(B + "/jwks.json", b)}
        trusted = [
            Trusted(Verifier[Claims](source.keys, name, AUDIENCE), source) for name, source in self.sources.items()
        ]
        self.checker = Checker(trusted, self.process.revoked, self.process.records)

    def answer(self, token: str | bytes, monotonic: int = 10**9) -> str:
        return reason(lambda: drive(self.checker.check(token, self.process.now, monotonic)).sub)

    def token(self, key: Any, issuer: str) -> str:
        return Issuer(KeySet([key]), issuer, AUDIENCE).issue("bob", self.process.now, os.urandom).token

    def unknown(self, number: int) -> bytes:
        header = b64({"alg": "ES256", "kid": f"k{number}", "typ": "at+jwt"})
        return header + b"." + b64({"iss": A}) + b"." + b64(bytes(64))


def test_a_storm_of_unknown_keys_costs_a_fetch_in_half_a_minute_and_twenty_in_an_hour() -> None:
    """Ten thousand tokens, each with a name of its own, over three hours."""
    publisher = Publisher(document(KEY))
    one = Trusting(publisher, Publisher(document(KEY)))
    assert one.answer(one.token(KEY, A)) == "bob"

    answers = {one.answer(one.unknown(number), 10**9 + number * 3 * HOUR // 10_000) for number in range(10_000)}

    assert answers == {"key_unknown"}
    assert publisher.asked <= 1 + 3 * 6 + 3 * BUDGET
    assert one.answer(one.token(KEY, A), 10**9 + 3 * HOUR) == "bob"


def test_a_storm_against_one_issuer_does_not_starve_another() -> None:
    """Cooldown and budget are each issuer's own."""
    one = Trusting(Publisher(document(KEY)), b := Publisher(document(KEY)))
    assert one.answer(one.token(KEY, B)) == "bob"
    for number in range(1000):
        one.answer(one.unknown(number), 10**9 + number * HOUR // 1000)
    b.document = document(OTHER)

    assert one.answer(one.token(OTHER, B), 10**9 + HOUR // 20) == "bob"


def test_one_failed_fetch_wipes_nothing() -> None:
    """The attacker makes us fetch while the issuer is down."""
    publisher = Publisher(document(KEY))
    one = Trusting(publisher, Publisher(b""))
    assert one.answer(one.token(KEY, A)) == "bob"
    publisher.down = True

    assert one.answer(one.unknown(1), 10**9 + 60_000_000) == "key_unknown"
    assert one.answer(one.token(KEY, A), 10**9 + 60_000_000) == "bob"


def test_an_issuer_signs_for_itself_alone() -> None:
    """B publishes a key under the name of one of A's; B's tokens say they are A's; B publishes A's very key."""
    evil = {**public_jwk(OTHER), "kid": KEY.kid}
    one = Trusting(Publisher(document(KEY)), Publisher(json.dumps({"keys": [evil]}).encode()))
    forger = read_jwk({**new_jwk("ES256", os.urandom), "kid": KEY.kid})

    assert one.answer(one.token(KEY, A)) == "bob"
    assert one.answer(one.token(KEY, B)) == "signature"
    assert one.answer(one.token(forger, A)) == "signature"
    assert one.answer(one.token(OTHER, A)) == "key_unknown"


def test_a_thousand_first_tokens_make_one_request() -> None:
    """Through the real way out, to a real server: all wait for one fetch, none is refused for coming second."""
    go = threading.Event()

    def later(connection: Any) -> None:
        go.wait(10)
        connection.sendall(body(document(KEY)))

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def storm(port: int) -> list[str]:
        process = Deployment().process()
        rules = Rules(hosts=(f"{HOST}:{port}",), private=("127.0.0.0/8",))
        fetch = AwaitingFetch(rules, tls=trust(), resolve=resolve)
        source = Jwks(f"https://{HOST}:{port}/jwks.json", fetch)
        one = Checker([Trusted(Verifier[Claims](source.keys, A, AUDIENCE), source)], process.revoked, process.records)
        token = Issuer(KeySet([KEY]), A, AUDIENCE).issue("bob", process.now, os.urandom).token
        tasks = [asyncio.create_task(one.check(token, process.now, 10**9)) for _ in range(1000)]
        await asyncio.sleep(0)
        go.set()
        return [claims.sub for claims in await asyncio.gather(*tasks)]

    with serving(later) as server:
        answers = asyncio.run(storm(server.port))

    assert answers == ["bob"] * 1000
    assert len(server.asked) == 1
