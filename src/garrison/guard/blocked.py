"""Who is shut out, whoever they say they are: looked up by address, before anything else is.

What is here changes while requests are served: a block is added, lifted or ends. So it stands beside the policy in
force, one for a process, and is replaced as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.limits.headers import ABNORMAL_USAGE
from garrison.model.http.refusal import refuse
from garrison.model.prefixes import Prefixes
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.model.http.refusal import Refusal

__all__ = ["MOST", "Block", "Blocked", "Lists"]

MOST: Final = 10_000
"""Networks that the guard shuts out at once, unless a policy says otherwise."""


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

    __slots__ = ("_blocks", "_found", "epoch", "most")

    def __init__(self, most: int = MOST) -> None:
        """Begin with none."""
        self.most = most
        """How many the guard decides at once; an attacker of many networks must not fill the memory."""

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

    def add(self, block: Block, now: int) -> bool:
        """Shut a network out from now on; where there is no room, in the place of the one that ends soonest.

        Returns:
            Whether it is; not if it were the first to end itself, so that nobody gets the worst ones out.
        """
        if block.network not in self._blocks and len(self._blocks) >= self.most:
            kept = _kept([*self.live(now), block], self.most)
            self.replace(kept)
            return block in kept
        self._blocks[block.network] = block
        self._found.add(block.network, block)
        self.epoch += 1
        return True

    def replace(self, blocks: Iterable[Block]) -> None:
        """Put others in the place of all, as many as there is room for."""
        known = {block.network: block for block in _kept(list(blocks), self.most)}
        if known == self._blocks:
            return
        self._blocks = known
        self._found = Prefixes((block.network, block) for block in known.values())
        self.epoch += 1


def _kept(blocks: list[Block], most: int) -> list[Block]:
    """Let those go that end soonest, where the guard decided too many; what was decided by hand stays."""
    own = [block for block in blocks if not block.by_hand]
    if len(own) <= most:
        return blocks
    last = sorted(own, key=lambda block: block.until)[-most:]
    return [*(block for block in blocks if block.by_hand), *last]


def _blocked(block: Block, now: int) -> Refusal:
    wait = max(1, -(-(block.until - now) // SECOND)) if block.until else 0
    headers = ((b"retry-after", b"%d" % wait),) if wait else ()
    return refuse("blocked", f"block:{block.network}", headers=headers, type=ABNORMAL_USAGE)
