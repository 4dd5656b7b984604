"""A right key in the wrong place: another environment, an unknown address, another site, a confused route."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.policy.load import load
from garrison.policy.schema import Keys
from garrison.runtime.compose import compose
from tests.credentials.world import World


@pytest.mark.parametrize(("environment", "other"), [("live", "test"), ("test", "live"), ("dev", "live")])
def test_a_key_of_another_environment_is_refused_unread(environment: str, other: str) -> None:
    """The same store by mistake, even the same root key: a test key never passes in production."""
    there = World(policy=Keys(environment=other))  # type: ignore[arg-type]  # parametrized literals
    here = World(policy=Keys(environment=environment), beside=there)  # type: ignore[arg-type]  # parametrized literals
    text = there.make().text
    here.records.gets.clear()

    refusal = here.ask(text)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == ("credential_refused", "key_environment")
    assert here.records.gets == []


POLICY = """
service = "notes"
hosts = ["api.example.com"]

[secrets]
root = "env:NOTES_ROOT_KEY"

[stores]
records = "sqlite:keys.db"

[routes]
"GET /notes" = { scopes = ["notes:read"] }
"""


@pytest.mark.parametrize("here", ["production", "staging", "development"])
def test_a_policy_that_says_nothing_parts_the_environments(
    here: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file, one store, even one root key: what is made on a laptop opens nothing elsewhere, and says what it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOTES_ROOT_KEY", random.Random(1).randbytes(32).hex())
    words = {"production": "live", "staging": "test", "development": "dev"}
    texts = {environment: _made(environment) for environment in words}

    assert {environment: text.split("_")[2] for environment, text in texts.items()} == words
    runtime = compose(load(POLICY, here))
    for environment, text in texts.items():
        lines = [(b"host", b"api.example.com"), (b"x-api-key", text.encode())]
        refusal = drive(runtime.driven.decide(Request("GET", "/notes", lines, peer="192.0.2.1"))).refusal
        assert (refusal.reason if refusal else "") == ("" if environment == here else "key_environment")
    runtime.close()


def _made(environment: str) -> str:
    runtime = compose(load(POLICY, environment))
    order = NewKey(name="n", scopes=("notes:read",))
    issued = drive(runtime.driven_side.keys.create(order, By(OPERATOR, runtime.clock.wall())))
    runtime.close()
    assert isinstance(issued, Issued)
    return issued.text


@pytest.mark.parametrize("networks", [("0.0.0.0/0", "::/0"), ("10.0.0.0/8",)])
def test_a_missing_address_is_in_no_network(networks: tuple[str, ...]) -> None:
    """Behind a Unix socket, or when the proxy forgot its header: evidence that is absent opens nothing."""
    world = World()
    text = world.make(networks=networks).text
    world.ask(text, address="10.1.1.1")

    assert world.reason(text, address="") == "key_network"


@pytest.mark.parametrize(
    "address",
    ["::ffff:10.1.1.1 ", "10.1.1.1, 11.0.0.1", "10.01.1.1", "10.1.1", "0xa.1.1.1", "10.1.1.1%eth0", "\n10.1.1.1"],
)
def test_an_address_in_disguise_is_in_no_network(address: str) -> None:
    world = World()

    assert world.reason(world.make(networks=("10.0.0.0/8",)).text, address=address) == "key_network"


@pytest.mark.parametrize(
    "origin", ["https://app.example.com ", "HTTPS://app.example.com", "https://app.example.com/", ""]
)
def test_an_origin_is_compared_byte_for_byte(origin: str) -> None:
    world = World()
    text = world.make(kind="pk", origins=("https://app.example.com",)).text

    assert world.reason(text, origin=origin) == "key_origin"
