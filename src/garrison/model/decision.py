"""The guard's answer to one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from garrison.model.principal import Principal
    from garrison.model.refusal import Refusal
    from garrison.model.request import Header

__all__ = ["Decision"]


class Decision:
    """What the guard found out, step by step; with a refusal, or without: go on.

    One object a request: the steps fill it in, adapters read it.
    """

    __slots__ = ("address", "correlation", "headers", "principal", "refusal", "route")

    def __init__(self, address: str, correlation: str) -> None:
        """Begin with who is asking from where; nobody is believed yet."""
        self.address = address
        self.correlation = correlation
        self.principal: Principal = ANONYMOUS
        self.refusal: Refusal | None = None
        self.route = ""
        self.headers: tuple[Header, ...] = ()
