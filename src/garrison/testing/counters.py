"""What every store of counters promises, as tests: subclass, say how to open one, run pytest.

    class TestMyStore(CountersContract):
        def open(self, clock):
            return MyStore(clock)

Run it twice, with `driven = True` and with `driven = False`: both faces keep the same promises. Time is the given
clock's; schedules are drawn from fixed seeds, so that a failure comes back.
"""

from __future__ import annotations

from garrison.testing.counting.amounts import Amounts
from garrison.testing.counting.callers import Callers
from garrison.testing.counting.clocks import Clocks
from garrison.testing.counting.steps import Steps
from garrison.testing.counting.verdicts import Verdicts

__all__ = ["CountersContract"]


class CountersContract(Amounts, Verdicts, Steps, Clocks, Callers):
    """The promises of `garrison.stores.protocols.Counters`."""
