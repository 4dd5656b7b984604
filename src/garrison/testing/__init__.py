"""For tests: published contracts, a clock that stands still, and acting as somebody. Loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garrison.testing.acting import acting_as
    from garrison.testing.clock import ManualClock
    from garrison.testing.counters import CountersContract
    from garrison.testing.credentials import CredentialContract
    from garrison.testing.journal import JournalContract
    from garrison.testing.records import RecordsContract
    from garrison.testing.state import own_state

__all__ = [
    "CountersContract",
    "CredentialContract",
    "JournalContract",
    "ManualClock",
    "RecordsContract",
    "acting_as",
    "own_state",
]

_PLACES = {
    "CountersContract": "garrison.testing.counters",
    "CredentialContract": "garrison.testing.credentials",
    "JournalContract": "garrison.testing.journal",
    "ManualClock": "garrison.testing.clock",
    "RecordsContract": "garrison.testing.records",
    "acting_as": "garrison.testing.acting",
    "own_state": "garrison.testing.state",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    place = _PLACES.get(name)
    if place is None:
        msg = f"module 'garrison.testing' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
