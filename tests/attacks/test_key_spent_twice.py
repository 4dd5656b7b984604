"""A key for so many uses is spent by many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from garrison.credentials.keys.allowances import BLOCK
from garrison.errors import StoreError
from tests.credentials.world import World


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
