"""Attack: guess on purpose, all day long, so that the owner cannot get in."""

from __future__ import annotations

from threading import Event

import pytest

from garrison.runtime.hashpool import HashPool
from tests.accounts.world import HERE, MINUTE, THERE, World

WRONG = "purple mattress 92"
FORGED = b"__Host-garrison_device=" + b"A" * 32


@pytest.fixture
def world() -> World:
    world = World()
    world.register(address=HERE)
    return world


def besiege(world: World, *addresses: str, cookies: list[bytes] | None = None) -> None:
    """Guess until nothing but 429 comes back."""
    for address in addresses or (THERE,):
        while world.login("ada", WRONG, address=address, cookies=cookies).status != 429:
            pass


def test_the_owner_gets_in_on_a_known_device_from_anywhere(world: World) -> None:
    cookies = world.login().cookies

    besiege(world, THERE, HERE, "192.0.2.5")

    for address in (HERE, THERE, "192.0.2.5"):
        assert world.login(address=address, cookies=cookies).status == 200


def test_the_owner_gets_in_although_the_attacker_sits_at_the_same_address(world: World) -> None:
    """Behind one router: the address is spent by spraying names, the device's lane is not."""
    cookies = world.login().cookies
    for n in range(25):
        world.login(f"user{n}", WRONG, address=HERE)

    assert world.login(address=HERE).status == 429
    assert world.login(address=HERE, cookies=cookies).status == 200


def test_the_owner_gets_in_from_a_known_network_without_any_cookie(world: World) -> None:
    """A program on the owner's machine keeps no cookies."""
    besiege(world, THERE, "192.0.2.5")

    assert world.login(address=THERE).status == 429
    assert world.login(address=HERE).status == 200


def test_a_siege_of_hours_never_holds_the_owner_up(world: World) -> None:
    cookies = world.login().cookies
    for _ in range(8):
        besiege(world, THERE)
        assert world.login(cookies=cookies).status == 200
        world.clock.advance(15 * MINUTE)


def test_a_hundred_failures_in_a_row_are_no_lock_that_stays(world: World) -> None:
    """Decision record 12: the attacker has to keep it up, and even then a known device gets in."""
    cookies = world.login().cookies
    for _ in range(21):
        besiege(world, THERE)
        world.clock.advance(15 * MINUTE)

    assert world.login(address="192.0.2.99").status == 200
    assert world.login(cookies=cookies).status == 200


def test_a_device_that_is_made_up_is_a_stranger(world: World) -> None:
    besiege(world, THERE)

    assert world.login(address=THERE, cookies=[FORGED]).status == 429


def test_a_device_of_another_account_is_a_stranger(world: World) -> None:
    """Whoever has an account of their own has a device of their own: it opens no lane to anybody else's."""
    mallory = world.register("mallory", address=THERE).cookies
    besiege(world, THERE)

    assert world.login(address=THERE, cookies=mallory).status == 429


def test_a_stolen_device_gives_five_guesses_and_opens_nothing(world: World) -> None:
    stolen = world.login().cookies

    statuses = [world.login("ada", WRONG, address=THERE, cookies=stolen).status for _ in range(8)]

    assert statuses == [401] * 5 + [429] * 3


def test_many_devices_at_once_do_not_multiply_guesses(world: World) -> None:
    """Two cookies of one name are as good as none."""
    cookies = world.login().cookies
    besiege(world, THERE)

    assert world.login(address=THERE, cookies=[*cookies, FORGED]).status == 429


def test_a_flood_of_strangers_leaves_room_in_the_queue_for_known_devices() -> None:
    """The pool refuses strangers at three quarters of its queue; an owner still gets a hash."""
    pool = HashPool(1_000_000, lambda: 0, 1)
    world = World(pool=pool)
    cookies = world.register().cookies
    gate = Event()
    flood = []
    while (future := pool.submit(gate.wait)) is not None:
        flood.append(future)
    assert world.login("ghost", WRONG, address=THERE).status == 503

    gate_opener = pool.submit(gate.set, known=True)
    assert gate_opener is not None
    gate.set()

    assert world.login(cookies=cookies).status == 200
    assert all(future.result() for future in flood)
    pool.close()
