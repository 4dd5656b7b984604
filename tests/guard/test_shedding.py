"""Who goes first: the route's class, a verified credential, and within those the same callers for a while."""

from __future__ import annotations

from msgspec.structs import replace

from garrison.guard.decision import Decision
from garrison.guard.shedding import CLASSES, SPELL, overloaded, rank, turn
from garrison.limits.headers import REDUCED_CAPACITY
from garrison.model.principal import ANONYMOUS, Principal
from tests.guard.world import World

ADA = Principal(subject="ada")


def decided(priority: str = "normal", principal: Principal = ANONYMOUS, address: str = "192.0.2.1") -> Decision:
    force = World().guard.force
    return Decision(force, "c", replace(force.unknown, priority=priority), address, principal=principal)


def test_strangers_come_after_who_is_known_and_bulk_after_both() -> None:
    order = [
        decided("critical"),
        decided("normal", ADA),
        decided("normal"),
        decided("bulk", ADA),
        decided("bulk"),
    ]

    assert [rank(decision) for decision in order] == list(range(len(CLASSES)))


def test_a_caller_keeps_its_turn_for_a_spell_and_not_for_ever() -> None:
    callers = [decided(address=f"192.0.2.{number}") for number in range(20)]
    now = [turn(caller, 0) for caller in callers]

    assert [turn(caller, SPELL - 1) for caller in callers] == now
    assert [turn(caller, SPELL) for caller in callers] != now
    assert len(set(now)) > 10


def test_an_account_has_one_turn_wherever_it_comes_from() -> None:
    """Else whoever is turned away would come from another address."""
    turns = {turn(decided(principal=ADA, address=f"192.0.2.{number}"), 0) for number in range(20)}

    assert len(turns) == 1


def test_a_network_of_ipv6_has_one_turn() -> None:
    """Whoever has one address of it has all 2**64."""
    assert len({turn(decided(address=f"2001:db8::{number:x}"), 0) for number in range(20)}) == 1


def test_the_refusal_says_when_to_come_again_and_spreads_who_does() -> None:
    refusals = [overloaded(decided(), standing) for standing in range(6)]

    assert {refusal.status for refusal in refusals} == {503}
    assert {refusal.type for refusal in refusals} == {REDUCED_CAPACITY}
    assert {refusal.headers for refusal in refusals} == {((b"retry-after", b"%d" % wait),) for wait in (1, 2, 3)}
    assert refusals[0].reason == "class:anonymous"
