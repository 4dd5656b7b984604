"""Who is shut out, whoever they say they are: looked up by address, before anything else is.

What is here changes while requests are served: a block is added, lifted or ends. So it stands beside the policy in
force, one for a process, and is replaced as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.limits.headers import ABNORMAL_USAGE
from garrison.model.http.refusal import refuse
from garrison.model.prefixes import Prefixes
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.model.http.refusal import Refusal

__all__ = ["Block", "Blocked", "Lists"]


class Block(NamedTuple):
    """One network that is shut out."""

    network: str
    until: int
    """Wall microseconds; 0: until it is lifted."""

    by_hand: bool
    """Whether somebody decided so: then not even the policy's `allow` opens it."""


class Lists(NamedTuple):
    """What a policy says about addresses."""

    allow: Prefixes[None] = Prefixes()
    deny: Prefixes[None] = Prefixes()


class Blocked:
    """Every block there is."""

    __slots__ = ("_blocks", "_found", "epoch")

    def __init__(self) -> None:
        """Begin with none."""
        self._blocks: dict[str, Block] = {}
        self._found: Prefixes[Block] = Prefixes()
        self.epoch = 0
        """Counted up by each change: what was remembered of an address before may be wrong from then on."""

    def refusal(self, address: str, lists: Lists, now: int) -> Refusal | None:
        """Refuse an address that is shut out.

        Args:
            address: Canonical.
            lists: Those of the policy in force.
            now: Wall microseconds.
        """
        if not (self._found or lists.deny):
            return None
        if lists.deny and (denied := lists.deny.find(address)) is not None:
            return refuse("address_denied", f"deny:{denied.network}")
        for _, block in self._found.around(address):
            if not 0 < block.until <= now and (block.by_hand or not lists.allow.find(address)):
                return _blocked(block, now)
        return None

    def live(self, now: int) -> list[Block]:
        """List the blocks that have not ended."""
        return [block for block in list(self._blocks.values()) if not 0 < block.until <= now]

    def add(self, block: Block) -> None:
        """Shut a network out from now on."""
        self._blocks[block.network] = block
        self._found.add(block.network, block)
        self.epoch += 1

    def replace(self, blocks: Iterable[Block]) -> None:
        """Put others in the place of all."""
        known = {block.network: block for block in blocks}
        if known == self._blocks:
            return
        self._blocks = known
        self._found = Prefixes((block.network, block) for block in known.values())
        self.epoch += 1


def _blocked(block: Block, now: int) -> Refusal:
    wait = max(1, -(-(block.until - now) // SECOND)) if block.until else 0
    headers = ((b"retry-after", b"%d" % wait),) if wait else ()
    return refuse("blocked", f"block:{block.network}", headers=headers, type=ABNORMAL_USAGE)
