"""What the policy says, compiled; which lanes a try runs in."""

from __future__ import annotations

import pytest

from garrison.accounts.device import Seen
from garrison.accounts.service import Service, Settings
from garrison.crypto.password import Cost
from garrison.errors import UsageError
from garrison.policy.schema import Accounts, Policy
from tests.accounts.world import HERE, NOON, THERE, World


def settings(**accounts: object) -> Settings:
    return Settings.of(Policy(accounts=Accounts(**accounts)))  # type: ignore[arg-type]  # a test may name any field


def test_the_defaults_are_those_of_the_chapter() -> None:
    compiled = settings()

    assert (compiled.failures.count, compiled.failures.window) == (5, 900_000_000)
    assert (compiled.failures_per_address.count, compiled.failures_per_address.window) == (20, 900_000_000)
    assert compiled.cost == Cost(memory=19 * 1024, passes=2)
    assert compiled.open
    assert compiled.secure


def test_a_policy_without_accounts_has_none() -> None:
    with pytest.raises(UsageError):
        Settings.of(Policy())


@pytest.mark.parametrize("field", ["failures", "failures_per_address"])
@pytest.mark.parametrize("limit", ["5/m", "at most 100 in 15m", "5 per calendar hour", "5 at once"])
def test_a_throttle_is_exact(field: str, limit: str) -> None:
    """A rate would let a burst of guesses through at each refill."""
    with pytest.raises(UsageError):
        settings(**{field: limit})


@pytest.mark.parametrize(
    ("memory", "passes", "taken"), [(19, 2, True), (46, 1, True), (7, 5, True), (19, 1, False), (7, 4, False)]
)
def test_a_hash_costs_at_least_what_owasp_asks(memory: int, passes: int, *, taken: bool) -> None:
    if taken:
        assert settings(hash_memory=memory, hash_passes=passes).cost == Cost(memory=memory * 1024, passes=passes)
    else:
        with pytest.raises(UsageError):
            settings(hash_memory=memory, hash_passes=passes)


def lanes(service: Service, name: str, user_name: str = "", device: str = "", address: str = HERE) -> list[str]:
    user = None
    if user_name:
        user = World().put_user(
            user_name,
            devices=(Seen(service.hidden("device", "mine"), NOON),),
            networks=(Seen(service.hidden("network", "203.0.113.0/24"), NOON),),
        )
    source = service.source(user, device, address, NOON)
    return [lane.id for lane in service.lanes(name, user, source, address)]


def test_a_name_has_the_same_lanes_whether_it_is_known_or_not() -> None:
    """But for the silent one, which nobody can see."""
    service = World().service

    nobody, somebody = lanes(service, "ada", address=THERE), lanes(service, "ada", "ada", address=THERE)

    assert somebody[:2] == nobody
    assert len(somebody) == 3


def test_strangers_share_a_lane_wherever_they_come_from() -> None:
    service = World().service
    one, other = lanes(service, "ada", "ada", address=THERE), lanes(service, "ada", "ada", address="192.0.2.1")

    assert one[0] == other[0]
    assert one[1] != other[1]
    assert one[2] == other[2]


def test_name_and_address_share_the_silent_lane_alone() -> None:
    service = World().service
    by_name = lanes(service, "ada", "ada", address=THERE)
    by_address = lanes(service, "ada@example.org", "ada", address=THERE)

    assert by_name[0] != by_address[0]
    assert by_name[2] == by_address[2]


def test_a_known_device_has_a_lane_of_its_own_and_no_other() -> None:
    """Not even its address counts: a neighbour who sprays names must not shut the owner out."""
    service = World().service

    assert len(lanes(service, "ada", "ada", device="mine")) == 1
    assert len(lanes(service, "ada", "ada", device="other")) == 3
    assert len(lanes(service, "ada", device="mine")) == 2


def test_a_known_network_has_a_lane_apart_from_strangers() -> None:
    service = World().service
    home, away = lanes(service, "ada", "ada", address=HERE), lanes(service, "ada", "ada", address=THERE)

    assert not set(home) & set(away)
    assert home[0] == lanes(service, "ada", "ada", address="203.0.113.200")[0]


def test_no_address_is_one_source() -> None:
    """Over a Unix socket without a trusted header: the strictest reading."""
    service = World().service

    assert lanes(service, "ada", address="")[1] == lanes(service, "bob", address="")[1]
