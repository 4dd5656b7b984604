"""Which refusals are written one by one, which are counted, and that none gets lost."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from garrison.audit.recorder import EACH, MOST_PAIRS, MOST_REASONS, MOST_SINGLE, Recorder
from garrison.model.event import Event
from garrison.model.units import MINUTE

NOON = MINUTE * 30_000_000
REFUSED = Event(code="authz_fail", at=NOON, outcome="refused", reason="scope_missing", actor="user:ada", route="GET /a")


def feed(recorder: Recorder, events: Iterable[Event]) -> list[Event]:
    return [written for event in events for written in recorder.take(event)]


def test_the_first_ten_are_a_record_each_and_the_rest_is_one_with_a_count() -> None:
    """Of one subject and reason, in one minute."""
    recorder = Recorder()
    written = feed(recorder, [replace(REFUSED, at=NOON + number) for number in range(100)])

    assert [event.count for event in written] == [1] * EACH
    assert recorder.due(NOON + MINUTE - 1) == ()
    (summary,) = recorder.due(NOON + MINUTE)
    assert (summary.count, summary.at, summary.actor) == (90, NOON + 99, "user:ada")
    assert (summary.route, summary.details) == ("GET /a", {"summary": True})
    assert recorder.due(NOON + 2 * MINUTE) == ()


def test_the_counts_of_a_minute_come_before_the_first_event_of_the_next() -> None:
    """And the next minute begins with ten again."""
    recorder = Recorder(2)
    written = feed(recorder, [replace(REFUSED, at=NOON + number * MINUTE // 4) for number in range(8)])

    assert [(event.count, event.at - NOON) for event in written] == [
        (1, 0),
        (1, MINUTE // 4),
        (2, MINUTE * 3 // 4),
        (1, MINUTE),
        (1, MINUTE * 5 // 4),
    ]
    assert [event.count for event in recorder.drain()] == [2]


def test_subjects_and_reasons_are_told_apart() -> None:
    """Who: the principal, or the address of nobody known; of each tenant."""
    recorder = Recorder(1)
    others = [
        REFUSED,
        replace(REFUSED, actor="user:bob"),
        replace(REFUSED, reason="key_route"),
        replace(REFUSED, code="authn_fail"),
        replace(REFUSED, tenant="acme"),
        replace(REFUSED, actor="", address="10.0.0.1"),
        replace(REFUSED, actor="", address="10.0.0.2"),
    ]

    assert feed(recorder, others) == others
    assert feed(recorder, others) == []
    assert [event.count for event in recorder.drain()] == [1] * len(others)


def test_a_summary_names_only_what_its_events_share() -> None:
    """One principal from two addresses on two routes: neither is named."""
    recorder = Recorder(0)
    feed(recorder, [replace(REFUSED, address="10.0.0.1"), replace(REFUSED, address="10.0.0.2", route="GET /b")])
    (summary,) = recorder.drain()

    assert (summary.count, summary.address, summary.route, summary.actor) == (2, "", "", "user:ada")


def test_what_was_not_refused_is_always_written() -> None:
    """A thousand logins are a thousand records; what observe mode would have refused is a refusal."""
    recorder = Recorder()
    logins = [Event(code="authn_login_success", at=NOON, actor="user:ada")] * 1_000
    observed = [replace(REFUSED, outcome="success", details={"observed": True})] * 1_000

    assert feed(recorder, logins) == logins
    assert len(feed(recorder, observed)) == EACH
    assert recorder.drain()[0].count == 1_000 - EACH


def test_a_clock_that_steps_back_starts_a_new_minute() -> None:
    """Nothing waits for the time to come round again."""
    recorder = Recorder(1)
    feed(recorder, [REFUSED, REFUSED])
    written = recorder.take(replace(REFUSED, at=NOON - 60 * MINUTE))

    assert [event.count for event in written] == [1, 1]


@pytest.mark.parametrize(
    ("change", "address", "route"),
    [
        ({"address": "10.0.0.2"}, "", "GET /a"),
        ({"route": "GET /b"}, "10.0.0.1", ""),
        ({}, "10.0.0.1", "GET /a"),
    ],
)
def test_a_summary_keeps_what_all_share_though_they_differ_elsewhere(
    change: dict[str, str], address: str, route: str
) -> None:
    """The address is what whoever reads the summary blocks: the last one seen must not stand for all."""
    recorder = Recorder(0)
    first = replace(REFUSED, address="10.0.0.1")
    feed(recorder, [first, replace(first, **change)])
    (summary,) = recorder.drain()

    assert (summary.address, summary.route) == (address, route)


def test_the_bounds_are_the_ones_that_the_docs_promise() -> None:
    """Ten a minute of one subject, and 2,300 records a minute in all: whoever sizes a disk reckons with them."""
    assert (EACH, MOST_SINGLE, MOST_PAIRS, MOST_REASONS) == (10, 1_000, 1_000, 300)


def test_what_is_counted_together_still_says_what_happened_last() -> None:
    """Beyond all pairs and reasons; a record without a code would be found by no search."""
    recorder = Recorder(0)
    flood = [replace(REFUSED, actor=f"user:{at}", reason=f"r{at}") for at in range(MOST_PAIRS + MOST_REASONS + 7)]
    feed(recorder, [*flood, replace(REFUSED, code="authn_fail", actor="user:last", reason="last")])

    *_, rest = recorder.drain()

    assert (rest.code, rest.reason, rest.count) == ("authn_fail", "", 8)
    assert (rest.actor, rest.address, rest.route) == ("", "", "")
    assert rest.details == {"summary": True, "subjects": "many"}


def test_what_is_counted_by_reason_keeps_code_and_reason() -> None:
    """Beyond the pairs alone: whom it happened to is dropped, and not what."""
    recorder = Recorder(0)
    feed(recorder, [replace(REFUSED, actor=f"user:{at}") for at in range(MOST_PAIRS)])
    feed(recorder, [replace(REFUSED, actor=f"user:{at}", code="authn_fail", reason="late", tenant="t") for at in "ab"])

    *_, rest = recorder.drain()

    assert (rest.code, rest.reason, rest.tenant, rest.actor, rest.count) == ("authn_fail", "late", "", "", 2)


EVENTS = st.builds(
    lambda at, actor, reason: replace(REFUSED, at=NOON + at, actor=f"user:{actor}", reason=f"r{reason}"),
    st.integers(0, 3 * MINUTE),
    st.integers(0, 3),
    st.integers(0, 2),
)


@given(st.lists(EVENTS, max_size=200), st.integers(0, 4))
def test_every_refusal_is_written_or_counted(events: list[Event], each: int) -> None:
    """Never one too few or too many, whatever the order."""
    recorder = Recorder(each)
    written = [*feed(recorder, events), *recorder.drain()]

    assert sum(event.count for event in written) == len(events)


def test_a_flood_from_everywhere_is_bounded_and_still_counted() -> None:
    """A hundred thousand addresses and a thousand reasons in a minute (`tests/attacks` measures the bytes)."""
    recorder = Recorder()
    flood = [replace(REFUSED, actor="", address=f"a{number}", reason=f"r{number % 1_000}") for number in range(100_000)]
    written = feed(recorder, flood)
    counts = recorder.drain()

    assert len(written) == MOST_SINGLE
    assert len(counts) <= MOST_PAIRS + MOST_REASONS + 1
    assert sum(event.count for event in (*written, *counts)) == len(flood)
    assert recorder.drain() == ()
