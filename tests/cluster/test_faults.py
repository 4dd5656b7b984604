"""What must hold while parts of a cluster die or stand still; `make faults` plays more of them, for longer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.cluster import Cluster
from tools.faults import CALLERS, FAULTS, Fault, measured, played

SECONDS = 1.0
BRIEF = [fault for fault in FAULTS if fault.name in {"worker-2: SIGKILL", "valkey: SIGKILL", "postgres: SIGSTOP"}]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with measured() as running:
        yield running


@pytest.mark.parametrize("fault", BRIEF, ids=lambda fault: fault.name)
def test_nothing_passes_that_must_not_and_nothing_is_lost(cluster: Cluster, fault: Fault) -> None:
    """A fault costs a caller at most the request that it was about."""
    row = played(cluster, fault, SECONDS)

    assert row.asked > 100
    assert (row.exact, row.rate, row.revoked, row.lost) == (0, 0, 0, 0)
    assert row.written > 0
    assert row.asked - row.answered <= CALLERS
