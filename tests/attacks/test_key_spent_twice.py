"""A key for so many uses is spent by many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from garrison.credentials.keys.allowances import BLOCK
from garrison.errors import StoreError
from garrison.guard.drive import drive
from tests.credentials.world import World
from tests.guard.world import World as GuardedWorld
from tests.guard.world import asked

POLICY = """
hosts = ["api.example.com"]

[routes]
"GET /notes" = { credentials = ["key"], scopes = ["notes:read"] }
"POST /notes" = { credentials = ["key"], scopes = ["notes:write"] }
"""


def test_threads_of_two_processes_get_exactly_what_there_is() -> None:
    here = World()
    there = World(beside=here)
    uses = 4 * BLOCK + 3
    issued = here.make(uses=uses)
    there.hear()

    with ThreadPoolExecutor(8) as pool:
        believed = list(pool.map(lambda n: (here, there)[n % 2].reason(issued.text) == "", range(2 * uses)))

    # What one process holds when the other finds the store empty is spent before either is refused for good.
    rest = sum(world.reason(issued.text) == "" for world in (here, there) for _ in range(BLOCK))
    assert sum(believed) + rest == uses


def test_a_store_that_fails_in_the_middle_gives_nothing_twice() -> None:
    here = World()
    issued = here.make(uses=BLOCK)
    granted = 0
    for attempt in range(3 * BLOCK):
        here.records.down = attempt % 3 == 1
        with suppress(StoreError):
            granted += here.reason(issued.text) == ""

    assert granted == BLOCK


def test_what_is_refused_for_anything_else_costs_no_use() -> None:
    """A stranger to the route, or an open stream that is looked at again, must not eat up what was paid for."""
    world = GuardedWorld(POLICY)
    key = world.key("notes:read", uses=2)
    write = [world.ask("POST /notes", key) for _ in range(3)]
    streams = world.ask("GET /notes", key)
    looks = [drive(world.guard.still_allowed(asked("GET /notes", key), streams)) for _ in range(3)]

    assert {refused.refusal.code for refused in write if refused.refusal} == {"scope_missing"}
    assert looks == [True] * 3
    assert [world.ask("GET /notes", key).refusal is None for _ in range(2)] == [True, False]
    world.runtime.close()
