"""Refusals are counted by what the policy names, and by nothing that callers choose."""

from __future__ import annotations

from garrison.admin.refusals import MOST_SERIES, Refusals
from garrison.limits import Ask, Verdict, parse
from garrison.limits.headers import limit_refusal
from garrison.model.http.refusal import refuse


def counted(refusals: Refusals, name: str) -> dict[tuple[str, ...], float]:
    """Give the samples of a metric by their labels' values."""
    (metric,) = [metric for metric in refusals.metrics() if metric.name == name]
    return {tuple(value for _, value in sample.labels): sample.value for sample in metric.samples}


def test_code_route_and_mode_are_told_apart() -> None:
    refusals = Refusals()
    for route, observed in (("GET /a", False), ("GET /a", False), ("GET /a", True), ("", False)):
        refusals.note(refuse("scope_missing", "a:read"), route, observed=observed)

    assert counted(refusals, "garrison_refusals_total") == {
        ("scope_missing", "GET /a", "enforce"): 2,
        ("scope_missing", "GET /a", "observe"): 1,
        ("scope_missing", "", "enforce"): 1,
    }


def test_each_limit_that_denied_is_counted_by_its_name() -> None:
    refusals = Refusals()
    asks = [Ask("a", parse("1/s per key")), Ask("b", parse("9/m per address"))]
    for allowed in ((False, False), (True, False)):
        verdicts = [Verdict(each, 0, 0 if each else 1, 1) for each in allowed]
        refusals.note(limit_refusal(asks, verdicts), "GET /a", observed=False)

    assert counted(refusals, "garrison_limit_denials_total") == {
        ("1/s/key", "enforce"): 1,
        ("9/m", "enforce"): 2,
    }


def test_a_policy_that_is_replaced_for_ever_makes_no_endless_series() -> None:
    refusals = Refusals()
    for number in range(MOST_SERIES + 50):
        refusals.note(refuse("scope_missing", f"limit:{number}"), f"GET /{number}", observed=False)

    routes = counted(refusals, "garrison_refusals_total")
    limits = counted(refusals, "garrison_limit_denials_total")
    assert (len(routes), len(limits)) == (MOST_SERIES + 1, MOST_SERIES + 1)
    assert routes["scope_missing", "other", "enforce"] == limits["other", "enforce"] == 50
