"""Every published vector holds, over ASGI and over WSGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from garrison.cors import CorsPolicy, check
from garrison.errors import PolicyError
from tests.cors.vectors import VECTORS, Send, exchange, failures, may_be_rejected, over_asgi, over_wsgi, policy_of


@pytest.mark.parametrize("over", [over_asgi, over_wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_holds(vector: dict[str, Any], over: Callable[[CorsPolicy], Send]) -> None:
    """The vector's own `why` says what would go wrong."""
    policy, request, expect = policy_of(vector), vector["request"], vector["expect"]
    if any(problem.severity == "error" for problem in check(policy)):
        with pytest.raises(PolicyError):
            over(policy)
        assert may_be_rejected(expect), check(policy)
        return

    answer, spent_ms = exchange(over(policy), request)

    mode = request.get("credentials_mode") or ("include" if policy.credentials else "omit")
    assert failures(expect, answer, request, mode, spent_ms) == [], f"{vector['why']}\n{answer}"


def test_there_are_vectors() -> None:
    """An empty file would pass everything."""
    assert len(VECTORS) > 200
    assert {vector["level"] for vector in VECTORS} == {"must", "should"}
