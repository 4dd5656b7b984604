"""Every figure of one process, gathered when somebody asks; a request that passes pays for none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.metric import Metric, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison.runtime.runtime import Runtime

__all__ = ["figures"]


def figures(runtime: Runtime) -> Iterator[Metric]:
    """Tell them, under names that stay."""
    plans = runtime.driven.force.plans
    versions = ("version", plans.version[:12]), ("environment", runtime.policy.environment)
    yield Metric("garrison_policy_info", "gauge", "1; the policy in force.", (Sample(1, versions),))
    yield single("garrison_requests_total", "counter", "Requests that were judged.", runtime.correlate.named)
    yield from runtime.record.metrics()
    yield from runtime.counting.metrics()
    yield single("garrison_password_hashes", "gauge", "Password hashes that run or wait.", runtime.hash_pool.pending)
    yield _states(runtime.stores())


def _states(stores: Mapping[str, str]) -> Metric:
    samples = [Sample(float(state == "ok"), (("store", name),)) for name, state in stores.items()]
    return Metric("garrison_store_up", "gauge", "Whether a store has answered lately.", tuple(samples))
