"""What was ended before its time."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import pytest

from garrison.errors import StoreError, UsageError
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.stores.news import FRESH
from garrison.stores.protocols import Outcome, Put
from garrison.tokens import Claims
from garrison.tokens.revocations import LONGEST, REVOCATIONS, Revocation
from tests.tokens.making import ISSUER
from tests.tokens.world import Deployment, Process, reason

HOUR = 3_600_000_000
world = Deployment


def end_token(process: Process, token: str) -> None:
    claims = process.verifier.verify(token, process.now)
    ending = process.revoked.token(ISSUER, claims.jti, claims.expires, process.now, os.urandom)
    assert drive(process.revoked.end(process.records, [ending]))


def asked(process: Process, claims: Claims) -> None:
    return drive(process.revoked.ask(process.records, claims))


def end_session(process: Process, session: str) -> None:
    ending = process.revoked.session(ISSUER, session, process.now, os.urandom)
    assert drive(process.revoked.end(process.records, [ending]))


def end_subject(process: Process, subject: str, tenant: str = "") -> int:
    return drive(process.revoked.end_subject(process.records, ISSUER, subject, process.now, os.urandom, tenant=tenant))


def test_a_token_is_ended_alone() -> None:
    """In this process at once, in the others with the next news."""
    deployment = world()
    here = deployment.process()
    there = deployment.process(here.keys)
    first, second = here.issue(), here.issue()

    end_token(here, first)

    assert here.answer(first) == "revoked"
    assert here.answer(second) == "ada"
    assert there.answer(first) == "ada"
    there.poll()
    assert there.answer(first) == "revoked"
    assert there.answer(second) == "ada"


def test_a_session_is_ended_with_all_its_tokens() -> None:
    """Those to come as well: a session's name is not used twice."""
    process = world().process()
    first, second, other = process.issue(session="s1"), process.issue(session="s1"), process.issue(session="s2")

    end_session(process, "s1")

    assert [process.answer(token) for token in (first, second, other)] == ["revoked", "revoked", "ada"]
    assert process.answer(process.issue(session="s1")) == "revoked"


def test_everything_of_a_subject_is_ended_and_what_comes_after_is_not() -> None:
    """In the same microsecond: no clock decides, but the epoch in the token."""
    process = world().process()
    before, bob, tenant = process.issue(), process.issue("bob"), process.issue(tenant="acme")

    epoch = end_subject(process, "ada")

    assert process.answer(before) == "revoked"
    assert process.answer(bob) == "bob"
    assert process.answer(tenant) == "ada"
    assert process.answer(process.issue(epoch=epoch)) == "ada"
    assert drive(process.revoked.epoch(process.records, ISSUER, "ada")) == epoch == 1


def test_epochs_count_up_and_never_back() -> None:
    """News that comes late or twice changes nothing."""
    deployment = world()
    here, there = deployment.process(), deployment.process()
    assert [end_subject(here, "ada"), end_subject(here, "ada")] == [1, 2]
    old = Revocation(id="sub:https%3A%2F%2Fid.example.com::ada", at=here.now, epoch=1)

    there.poll()
    there.revoked._remember(old)

    token = here.issue(epoch=1)
    assert reason(lambda: Process.answer(there, token, here.verifier)) == "revoked"


def test_a_foreign_token_is_ended_by_when_it_was_issued() -> None:
    """It says no epoch; the whole second of the ending is ended with it."""
    process = world().process()
    claims = process.verifier.verify(process.issue(), process.now)
    end_subject(process, "ada")
    foreign = {name: getattr(claims, name) for name in claims.__struct_fields__} | {"epoch": None}

    assert process.revoked.refuses(type(claims)(**foreign))
    assert not process.revoked.refuses(type(claims)(**{**foreign, "iat": claims.iat + 1}))


def test_names_of_one_issuer_end_nothing_of_another() -> None:
    """Nor does a name that looks like two."""
    process = world().process()
    token = process.issue("ada", session="s:1", tenant="a:b")
    claims = process.verifier.verify(token, process.now)
    others = [
        process.revoked.token("https://other.example", claims.jti, claims.expires, process.now, os.urandom),
        process.revoked.session("https://other.example", "s:1", process.now, os.urandom),
        process.revoked.session(ISSUER, "s", process.now, os.urandom),
        process.revoked.session(ISSUER + ":s", "1", process.now, os.urandom),
    ]
    assert drive(process.revoked.end(process.records, others))
    end_subject(process, "b:ada", "a")
    end_subject(process, "ada", "a%3Ab")

    assert process.answer(token) == "ada"
    end_subject(process, "ada", "a:b")
    assert process.answer(token) == "revoked"


def test_ending_twice_is_no_error() -> None:
    """Two workers, one logout each; and one that tries again because the first answer was lost."""
    deployment = world()
    here, there = deployment.process(), deployment.process()
    endings = [
        process.revoked.token(ISSUER, "j1", process.now + HOUR, process.now, os.urandom)
        for process in (here, there, there)
    ]

    assert drive(here.revoked.end(here.records, [endings[0]]))
    assert drive(there.revoked.end(there.records, [endings[1]]))
    assert drive(there.revoked.end(there.records, [endings[1], endings[2]]))


def test_of_two_who_exchange_one_token_one_ends_it() -> None:
    """`once`: what was ended before cannot be ended for the sake of a successor."""
    deployment = world()
    here, there = deployment.process(), deployment.process()
    endings = [
        process.revoked.token(ISSUER, "j1", process.now + HOUR, process.now, os.urandom, once=True)
        for process in (here, there)
    ]

    assert drive(here.revoked.end(here.records, endings[:1]))
    assert not drive(there.revoked.end(there.records, endings[1:]))


def test_a_restart_remembers() -> None:
    """What still matters is read at start."""
    deployment = world()
    here = deployment.process()
    token, session, subject = here.issue(), here.issue(session="s1"), here.issue("bob")
    end_token(here, token)
    end_session(here, "s1")
    end_subject(here, "bob")

    fresh = deployment.process(here.keys)
    drive(fresh.revoked.load(fresh.records, fresh.now))

    assert [fresh.answer(one) for one in (token, session, subject)] == ["revoked"] * 3


def test_what_no_living_token_can_be_concerned_by_is_forgotten() -> None:
    """Else memory grows with every logout there ever was; the store keeps only the epochs."""
    deployment = world()
    process = deployment.process()
    for number in range(50):
        end_token(process, process.issue())
        end_session(process, f"s{number}")
        end_subject(process, f"u{number}")
    deployment.clock.advance(LONGEST + 1)
    end_session(process, "later")
    ended = process.revoked._issuers[ISSUER]

    assert (len(ended.jti), len(ended.sid), len(ended.sub)) == (0, 1, 0)
    assert len(process.revoked._passing) == 1
    assert end_subject(process, "u1") == 2

    fresh = deployment.process()
    drive(fresh.revoked.load(fresh.records, fresh.now))
    assert set(fresh.revoked._issuers[ISSUER].sub) == {"u1"}


def test_a_session_ended_again_is_remembered_from_the_second_time() -> None:
    """The first entry that passes does not take the second with it."""
    deployment = world()
    process = deployment.process()
    end_session(process, "s1")
    end_subject(process, "ada")
    deployment.clock.advance(LONGEST // 2)
    end_session(process, "s1")
    end_subject(process, "ada")
    deployment.clock.advance(LONGEST // 2 + 2)
    end_session(process, "other")

    ended = process.revoked._issuers[ISSUER]
    assert set(ended.sid) == {"s1", "other"}
    assert set(ended.sub) == {"ada"}


def test_a_subject_of_one_tenant_is_forgotten_alone() -> None:
    """Another tenant has somebody of the same name."""
    deployment = world()
    process = deployment.process()
    end_subject(process, "ada", "acme")
    deployment.clock.advance(LONGEST // 2)
    end_subject(process, "ada", "umbrella")
    before = process.issue(tenant="umbrella")
    deployment.clock.advance(LONGEST // 2 + 2)
    end_session(process, "other")

    assert set(process.revoked._issuers[ISSUER].sub["ada"]) == {"umbrella"}
    assert process.answer(before) == "expired"
    assert process.answer(process.issue(tenant="umbrella")) == "revoked"
    assert process.answer(process.issue(tenant="acme")) == "ada"


def test_what_has_ended_by_itself_can_be_ended() -> None:
    """It is forgotten at once."""
    process = world().process()
    ending = process.revoked.token(ISSUER, "j1", process.now - 1, process.now, os.urandom)

    assert drive(process.revoked.end(process.records, [ending]))
    assert process.revoked._passing == []
    assert process.revoked._issuers[ISSUER].jti == {}


def test_what_belongs_to_an_ending_is_committed_with_it_or_neither_is() -> None:
    """A condition that fails leaves the token alive, the journal empty and memory as it was."""
    deployment = world()
    process = deployment.process()
    token = process.issue(session="s1")
    ending = process.revoked.session(ISSUER, "s1", process.now, os.urandom)
    taken = Revocation(id="jti:x:y", at=1)
    event = Event(code="authn_logout", at=process.now)
    drive(process.records.commit([Put(REVOCATIONS, taken)]))

    assert not drive(process.revoked.end(process.records, [ending], steps=[Put(REVOCATIONS, taken)], events=[event]))
    assert process.answer(token) == "ada"
    assert deployment.events() == []

    assert drive(process.revoked.end(process.records, [ending], events=[event]))
    assert process.answer(token) == "revoked"
    assert [one.code for one in deployment.events()] == ["authn_logout"]


def test_the_store_itself_is_asked_when_memory_is_not_fresh() -> None:
    """A process that heard nothing for a second."""
    deployment = world()
    here = deployment.process()
    there = deployment.process(here.keys)
    tokens = [here.issue(), here.issue(session="s1"), here.issue("bob"), here.issue("carl", session="s2")]
    claims = [here.verifier.verify(token, here.now) for token in tokens]
    end_token(here, tokens[0])
    end_session(here, "s1")
    end_subject(here, "bob")

    answers = [reason(partial(asked, there, one)) for one in claims]

    assert answers == ["revoked", "revoked", "revoked", "None"]
    assert not there.revoked.fresh(deployment.clock.monotonic())
    there.poll()
    assert there.revoked.fresh(deployment.clock.monotonic() + FRESH - 1)
    assert not there.revoked.fresh(deployment.clock.monotonic() + FRESH)


def test_a_token_of_a_later_epoch_passes_the_store_too() -> None:
    """Asked in the same words."""
    process = world().process()
    epoch = end_subject(process, "ada")
    claims = process.verifier.verify(process.issue(epoch=epoch), process.now)

    assert drive(process.revoked.ask(process.records, claims)) is None


def test_nothing_without_a_name_is_ended() -> None:
    """It would end everything that has no name."""
    process = world().process()

    with pytest.raises(UsageError):
        process.revoked.token(ISSUER, "", 1, 1, os.urandom)
    with pytest.raises(UsageError):
        process.revoked.session(ISSUER, "", 1, os.urandom)
    with pytest.raises(UsageError):
        end_subject(process, "")


class Crowded:
    """A store where somebody else was always faster."""

    async def get(self, *_: Any) -> None:
        return None

    async def commit(self, *_: Any) -> Outcome:
        return Outcome(done=False, failed=0, condition="version")


def test_a_subject_that_others_keep_ending_is_a_fault_and_not_a_loop() -> None:
    """After a few tries."""
    process = world().process()
    process.records = Crowded()

    with pytest.raises(StoreError, match="kept ending"):
        end_subject(process, "ada")


def test_tokens_that_live_longer_from_now_on_are_remembered_longer_and_never_shorter() -> None:
    """Else a session that was ended today would begin again tomorrow."""
    process = world().process()
    process.revoked.lengthen(3 * LONGEST)
    process.revoked.lengthen(LONGEST)
    end_session(process, "s1")

    (record,) = drive(process.records.find(REVOCATIONS, "", ""))

    assert record.until - record.at == 3 * LONGEST


def test_what_passes_at_an_instant_is_remembered_up_to_it_and_forgotten_after() -> None:
    """Forgotten for good: what is only half forgotten stays in memory for ever."""
    deployment = world()
    process = deployment.process()
    ending = process.revoked.token(ISSUER, "j1", process.now + HOUR, process.now, os.urandom)
    assert drive(process.revoked.end(process.records, [ending]))
    known = []
    for after in (HOUR - 1, 1, 1):
        deployment.clock.advance(after)
        end_session(process, f"s{after}")
        known.append(set(process.revoked._issuers[ISSUER].jti))

    assert known == [{"j1"}, {"j1"}, set()]
