"""An ended token is presented again: as it was, written in another way, remembered, or elsewhere."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from garrison.crypto import base64
from garrison.guard.drive import drive
from garrison.tokens import CachedVerifier
from garrison.tokens.checker import Checker, Trusted
from tests.tokens.making import ISSUER
from tests.tokens.world import Deployment, Process, reason


def end(process: Process, token: str, what: str) -> None:
    claims = process.verifier.verify(token, process.now)
    if what == "subject":
        assert drive(process.revoked.end_subject(process.records, ISSUER, claims.sub, process.now, os.urandom))
        return
    ending = (
        process.revoked.token(ISSUER, claims.jti, claims.expires, process.now, os.urandom)
        if what == "token"
        else process.revoked.session(ISSUER, claims.sid, process.now, os.urandom)
    )
    assert drive(process.revoked.end(process.records, [ending]))


@pytest.fixture(params=["token", "session", "subject"])
def what(request: pytest.FixtureRequest) -> str:
    """What was ended."""
    return str(request.param)


def other_way(token: str) -> str:
    """The same ECDSA signature with n - s for s: as right as the first, and anybody can make it."""
    message, _, signature = token.rpartition(".")
    raw = base64.decode(signature) or b""
    order = ec.SECP256R1().group_order
    turned = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    return f"{message}.{base64.encode(turned)}"


def test_the_other_text_of_an_ended_token_is_ended_too(what: str) -> None:
    """A deny list of token texts, or of their hashes, would let it pass."""
    process = Deployment().process()
    token = process.issue(session="s1")
    assert other_way(token) != token
    assert process.answer(other_way(token)) == "ada", "it is a right signature"

    end(process, token, what)

    assert process.answer(token) == "revoked"
    assert process.answer(other_way(token)) == "revoked"


def test_a_remembered_token_is_looked_at_again(what: str) -> None:
    """The cache answers from memory, but not about what was ended."""
    process = Deployment().process()
    token = process.issue(session="s1")
    cached = CachedVerifier(process.verifier)
    assert process.answer(token, cached) == "ada"

    end(process, token, what)

    assert process.answer(token, cached) == "revoked"


def test_another_process_refuses_within_a_second_by_news_or_by_asking(what: str) -> None:
    """At no instant from one second after the ending on does any process believe it."""
    deployment = Deployment()
    here = deployment.process()
    there = deployment.process(here.keys)
    checker = Checker([Trusted(CachedVerifier(there.verifier))], there.revoked, there.records)
    token = here.issue(session="s1")

    def answer() -> str:
        clock = deployment.clock
        return reason(lambda: drive(checker.check(token, clock.wall(), clock.monotonic())).sub)

    there.poll()
    assert answer() == "ada"
    end(here, token, what)
    deployment.clock.advance(1_000_000)
    assert answer() == "revoked", "the poll stalled: the store is asked"
    there.poll()
    assert answer() == "revoked", "by news"
    deployment.records.close()
    assert answer() == "revoked", "still fresh"
    deployment.clock.advance(1_000_000)
    assert answer() in {"revoked", "unavailable"}, "what is in memory stays ended"


def test_a_restarted_process_refuses_before_it_heard_any_news(what: str) -> None:
    """Loaded at start, or else asked of the store."""
    deployment = Deployment()
    here = deployment.process()
    token = here.issue(session="s1")
    end(here, token, what)
    fresh = deployment.process(here.keys)
    checker = Checker([Trusted(fresh.verifier)], fresh.revoked, fresh.records)

    answer = reason(lambda: drive(checker.check(token, fresh.now, deployment.clock.monotonic())).sub)

    assert answer == "revoked"


def test_a_token_issued_on_the_old_epoch_while_the_subject_is_ended_is_ended() -> None:
    """The login read the epoch just before; its token comes out just after."""
    process = Deployment().process()
    epoch = drive(process.revoked.epoch(process.records, ISSUER, "ada"))
    assert drive(process.revoked.end_subject(process.records, ISSUER, "ada", process.now, os.urandom)) == 1

    assert process.answer(process.issue(epoch=epoch)) == "revoked"
