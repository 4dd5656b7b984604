"""Header fields say what was decided, in the grammar of RFC 9651, and round every wait up."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.limits import NEVER, Ask, Limit, Verdict, parse
from garrison.limits.headers import (
    ABNORMAL_USAGE,
    QUOTA_EXCEEDED,
    REDUCED_CAPACITY,
    limit_headers,
    limit_name,
    limit_refusal,
    retry_seconds,
)
from garrison.model.units import HOUR, SECOND
from tests.limits.test_notation import limits

STRING = re.compile(r'"([ !#-\[\]-~]|\\["\\])*"')
KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")


def read(field: bytes) -> list[tuple[str, dict[str, int | str]]]:
    """Parse a list of strings with parameters, as RFC 9651 section 4.2 does, and nothing looser."""
    text, items = field.decode("ascii"), []
    while True:
        name, text = _eat(STRING, text)
        parameters: dict[str, int | str] = {}
        while text.startswith(";"):
            key, text = _eat(KEY, text[1:].lstrip(" "))
            assert text.startswith("=")
            number = INTEGER.match(text[1:])
            value, text = _eat(INTEGER if number else STRING, text[1:])
            parameters[key] = int(value) if number else value[1:-1]
        items.append((name[1:-1], parameters))
        text = text.lstrip(" \t")
        if not text:
            return items
        assert text.startswith(",")
        text = text[1:].lstrip(" \t")
        assert text


def _eat(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.match(text)
    assert found is not None, text
    return found.group(), text[found.end() :]


def told(*pairs: tuple[str, Verdict]) -> tuple[list[Ask], list[Verdict]]:
    return [Ask("s", parse(text)) for text, _ in pairs], [verdict for _, verdict in pairs]


VERDICTS = st.builds(
    Verdict, st.booleans(), st.integers(0, 10**9), st.integers(0, 366 * 24 * HOUR), st.integers(0, 366 * 24 * HOUR)
)


@given(st.lists(st.tuples(limits(), VERDICTS), min_size=1, max_size=4))
def test_fields_parse_and_equal_the_decision(pairs: list[tuple[Limit, Verdict]]) -> None:
    """Whatever the limits: names, quotas, windows, what remains and when more comes."""
    asks, verdicts = [Ask("s", limit) for limit, _ in pairs], [verdict for _, verdict in pairs]
    passed = all(verdict.allowed for verdict in verdicts)
    shown = [
        (ask.limit, verdict)
        for ask, verdict in zip(asks, verdicts, strict=True)
        if ask.limit.mode == "enforce" and verdict.allowed == passed
    ]
    fields = dict(limit_headers(asks, verdicts))

    assert bool(fields) == bool(shown)
    if not shown:
        return
    policies, states = read(fields[b"ratelimit-policy"]), read(fields[b"ratelimit"])
    for (limit, verdict), policy, state in zip(shown, policies, states, strict=True):
        assert policy[0] == state[0] == limit_name(limit)
        assert policy[1]["q"] == limit.burst
        assert state[1]["r"] == verdict.remaining
        if limit.algorithm == "concurrency":
            assert policy[1]["qu"] == "concurrent-requests"
            assert "t" not in state[1]
        else:
            assert int(policy[1]["w"]) >= 1
            assert 0 <= int(state[1]["t"]) * SECOND - verdict.reset_after < SECOND


def test_a_rate_is_told_as_what_may_come_at_once_in_the_time_it_takes_to_come_back() -> None:
    """So q over w is the rate, and r is never more than q."""
    fields = dict(limit_headers(*told(("50/s burst 500 per principal", Verdict(True, 499, 0, 20_000)))))

    assert fields[b"ratelimit-policy"] == b'"50/s-burst-500/principal";q=500;w=10'
    assert fields[b"ratelimit"] == b'"50/s-burst-500/principal";r=499;t=1'


def test_several_limits_are_one_list() -> None:
    """In the order in which they were asked."""
    fields = dict(
        limit_headers(*told(("5/m as a", Verdict(True, 1, 0, 1)), ("at most 9 in 1h as b", Verdict(True, 2, 0, HOUR))))
    )

    assert fields[b"ratelimit-policy"] == b'"a";q=5;w=60, "b";q=9;w=3600'
    assert fields[b"ratelimit"] == b'"a";r=1;t=1, "b";r=2;t=3600'


def test_a_denial_tells_only_of_what_denied() -> None:
    """`Retry-After` must not be earlier than any `t` beside it (draft 10, section 6)."""
    asks, verdicts = told(
        ("5/m as a", Verdict(False, 0, SECOND + 1, SECOND + 1)),
        ("9 per calendar day as b", Verdict(True, 2, 0, 20 * HOUR)),
        ("1/s as c", Verdict(False, 0, 1, 1)),
    )
    refusal = limit_refusal(asks, verdicts)

    assert dict(limit_headers(asks, verdicts))[b"ratelimit"] == b'"a";r=0;t=2, "c";r=0;t=1'
    assert refusal.headers == ((b"retry-after", b"2"),)
    assert refusal.members == {"violated-policies": ["a", "c"]}
    assert (refusal.status, refusal.type, refusal.reason) == (429, QUOTA_EXCEEDED, "limit:a,c")


@pytest.mark.parametrize(
    ("wait", "seconds"), [(1, 1), (SECOND - 1, 1), (SECOND, 1), (SECOND + 1, 2), (NEVER - 1, 9007199255), (NEVER, None)]
)
def test_a_wait_is_whole_seconds_rounded_up(wait: int, seconds: int | None) -> None:
    """A client that obeys must not come a moment too early; what never passes gives no time."""
    asks, verdicts = told(("1/s", Verdict(False, 0, wait, 0)))

    assert retry_seconds(asks, verdicts) == seconds
    assert bool(limit_refusal(asks, verdicts).headers) == (seconds is not None)


def test_a_place_among_concurrent_requests_is_worth_a_second() -> None:
    """Its lease may live for minutes, but is given back at any moment."""
    asks, verdicts = told(("4 at once", Verdict(False, 0, 300 * SECOND, 300 * SECOND)))

    assert retry_seconds(asks, verdicts) == 1
    assert retry_seconds(*told(("4 at once", Verdict(False, 4, NEVER, 0)))) is None


def test_a_limit_that_only_observes_is_never_told() -> None:
    """It changes no answer, neither alone nor beside others."""
    watched = ("5/s observe", Verdict(True, 0, SECOND, SECOND))

    assert limit_headers(*told(watched)) == []
    assert dict(limit_headers(*told(watched, ("1/s as a", Verdict(True, 0, 0, 1)))))[b"ratelimit"] == b'"a";r=0;t=1'
    assert limit_headers([], []) == []


def test_many_limits_do_not_fill_the_memory() -> None:
    """Limits made at run time, one for each customer, are remembered for a while only."""
    first, *rest = [Ask("s", Limit(count=count, window=SECOND)) for count in range(1, 2_100)]
    for ask in rest:
        limit_headers([ask], [Verdict(True, 1, 0, 1)])

    assert limit_headers([first], [Verdict(True, 1, 0, 1)])[1] == (b"ratelimit", b'"1/s";r=1;t=1')


def test_the_three_problem_types_are_those_of_the_draft() -> None:
    """Section 5, in the registry of RFC 9457."""
    types = (QUOTA_EXCEEDED, REDUCED_CAPACITY, ABNORMAL_USAGE)

    assert [kind.rpartition("#")[2] for kind in types] == [
        "quota-exceeded",
        "temporary-reduced-capacity",
        "abnormal-usage-detected",
    ]
    assert len({before.rpartition("#")[0] == after.rpartition("#")[0] for before, after in pairwise(types)}) == 1
