"""One caller that opens connections without end: each costs memory and a place before a byte is sent.

No limit of the policy counts a connection on which nothing is asked.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.adapters.world import at_work
from tests.cli.serving.raw import POLICY, Line

CAPS = "[caps]\nconnections = 3\n"


def test_a_network_holds_as_many_as_it_may(runner: asyncio.Runner) -> None:
    """Those that end make room."""
    with at_work(POLICY + CAPS) as runtime:
        line = Line(runner, runtime)
        crowds = line.crowd(3, 5, 3)

        assert crowds == [[200] * 3, [200] * 3 + [429] * 2, [200] * 3]
        assert {event.reason for event in line.events()} == {"connections"}


@pytest.mark.parametrize("peers", ["127.0.0.0/8", "127.0.0.1/32"])
def test_a_trusted_proxy_holds_those_of_everybody(runner: asyncio.Runner, peers: str) -> None:
    with at_work(f'{POLICY}{CAPS}[forwarded]\npeers = ["{peers}"]\n') as runtime:
        assert Line(runner, runtime).crowd(9) == [[200] * 9]
