"""The version of this distribution, where every floor can read it."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
