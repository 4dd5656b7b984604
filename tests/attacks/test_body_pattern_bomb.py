"""A body that makes a schema's pattern backtrack for ever costs one pass over it (ReDoS)."""

from __future__ import annotations

import pytest

from garrison.policy.body import BodySchema


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|a)*b", "^(a|aa)+$", "(.*)*x", "^([a-z]+)*!$"])
def test_a_hostile_text_is_judged_in_linear_work(pattern: str) -> None:
    """Twenty thousand letters: a backtracking engine would still be at it when the sun goes out."""
    schema = BodySchema(f'{{"pattern": "{pattern}"}}'.encode())

    errors = schema.errors("a" * 20_000 + "?")

    assert [error["code"] for error in errors] == ["format"]
