"""Limits on how often a subject may pass: exact integer arithmetic, no clock, no storage.

A store plays them: `garrison.stores.memory.counters.MemoryCounters` in one process.
"""

from __future__ import annotations

from garrison.limits.limit import NEVER, Ask, Limit, Verdict
from garrison.limits.notation import parse, text

__all__ = ["NEVER", "Ask", "Limit", "Verdict", "parse", "text"]
