"""A policy that can be read can be put to work: `garrison check` and the start are of one mind."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from garrison.errors import PolicyError, SecretError, StoreError
from garrison.policy.file.write import to_toml
from garrison.policy.load import load
from garrison.policy.schema import Accounts, Caps, Forwarded, Jwt, Policy
from garrison.runtime.compose import compose
from tests.policy.written import SETTINGS, Setting, document


@pytest.fixture(autouse=True)
def development(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, in development."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")


# One folder serves all examples: what they leave there, a root key, is what a restart finds.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SETTINGS, min_size=1, max_size=3))
def test_what_can_be_loaded_can_be_composed(written: list[Setting]) -> None:
    """Whatever stands in its fields; only what lies outside of it, a secret or a store, may still be missing."""
    file = Path("garrison.toml")
    try:
        file.write_text(to_toml(msgspec.convert(document(written), Policy)), "utf-8")
        load(file, "development")
    except (msgspec.ValidationError, PolicyError):
        event("refused when read")
        return

    try:
        with suppress(SecretError, StoreError):
            compose(file).close()
            event("composed")
    except PolicyError as told:
        # A list of networks that is not there, or is none: the one thing that is not looked at when a policy is read.
        if not {problem.rule for problem in told.problems} <= {"GP190", "GP191"}:
            raise


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        (Policy(hosts=("API.example.com",)), "GP005"),
        (Policy(forwarded=Forwarded(peers=("10.0.0.0/255.0.0.0",))), "GP005"),
        (Policy(caps=Caps(body="1 MB")), "GP005"),
        (Policy(jwt=Jwt(access="500ms")), "GP005"),
        (Policy(accounts=Accounts(failures="5/s")), "GP005"),
        (Policy(accounts=Accounts(hash_memory=7, hash_passes=1)), "GP073"),
        (Policy(workers=0), "GP004"),
    ],
)
def test_a_policy_made_in_python_is_refused_in_the_words_of_a_file(policy: Policy, rule: str) -> None:
    """Before anything is opened, and with every problem."""
    with pytest.raises(PolicyError) as refused:
        compose(policy)

    assert rule in [problem.rule for problem in refused.value.problems]
    assert {problem.severity for problem in refused.value.problems} == {"error"}
    assert list(Path().iterdir()) == []


def test_plain_tables_in_a_policy_made_in_python_become_structs() -> None:
    plain = Policy(environment="development", jwt={"access": "5m"})  # type: ignore[arg-type]  # what the test is about

    runtime = compose(plain)
    runtime.close()

    assert runtime.policy == Policy(environment="development", jwt=Jwt(access="5m"))
