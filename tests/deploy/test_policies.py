"""The policies that are deployed are the example's, with the places of one way to deploy and nothing else."""

from __future__ import annotations

import tomllib

import pytest

from garrison.policy.load import read
from tests.deploy.places import ROOT, policies

EXAMPLE = (ROOT / "examples" / "tasks" / "garrison.toml").read_text("utf-8")
PLACES = {"workers", "secrets", "forwarded", "operations", "stores"}


@pytest.mark.parametrize("way", policies())
def test_a_deployed_policy_has_no_problem(way: str) -> None:
    reading = read(policies()[way], "production")

    assert reading.policy is not None
    assert reading.problems == ()


@pytest.mark.parametrize("way", policies())
def test_a_deployed_policy_says_who_may_what_exactly_as_the_example(way: str) -> None:
    """A copy that grew apart would be tested nowhere."""
    deployed, example = tomllib.loads(policies()[way]), tomllib.loads(EXAMPLE)
    environments = deployed.pop("environments")
    del example["environments"]

    assert deployed == example
    assert environments.keys() == {"production"}
    assert environments["production"].keys() <= PLACES


@pytest.mark.parametrize("way", policies())
def test_a_deployed_policy_names_its_secrets_and_holds_none(way: str) -> None:
    policy = read(policies()[way], "production").policy

    assert policy is not None
    assert policy.secrets.root.startswith(("file:/", "credential:"))
    for url, password in (
        (policy.stores.records, policy.stores.password),
        (policy.stores.counters, policy.stores.counters_password),
    ):
        assert url != "memory:"
        assert password.startswith("file:/run/secrets/") == ("//" in url)
