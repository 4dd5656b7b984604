"""A refusal that application code can raise; adapters answer it like one of the guard's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.errors import GarrisonError

if TYPE_CHECKING:
    from garrison.model.http.refusal import Refusal

__all__ = ["RefusedError"]


class RefusedError(GarrisonError):
    """The request is refused from inside a handler or a dependency."""

    code = "refused"

    def __init__(self, refusal: Refusal) -> None:
        """Keep the refusal."""
        super().__init__(refusal.code)
        self.refusal = refusal
