"""What all parts of a policy share."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Part"]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every part of a policy shares: frozen, by name, nothing unknown."""
