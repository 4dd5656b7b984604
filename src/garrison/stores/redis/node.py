"""One node of a cluster, awaited or driven. It refuses keys of slots that are not its own, and says whose they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from redis.exceptions import NoScriptError, RedisError

from garrison.errors import StoreError
from garrison.stores.redis.counters import Awaited, Driven, Link
from garrison.stores.redis.script import divided, figures
from garrison.stores.redis.slots import slot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.stores.redis.script import Step

__all__ = ["AwaitedNode", "DrivenNode", "Node"]


class Node(Link, Protocol):
    """A link to one node; what the node said is the cause of its `StoreError`."""

    async def asked(self, step: Step) -> Sequence[int]:
        """Play a step whose slot is on its way to this node."""
        ...

    async def slots(self) -> Sequence[Any]:
        """Ask for CLUSTER SLOTS."""
        ...


class DrivenNode(Driven):
    """One call for each step, from any thread."""

    async def asked(self, step: Step) -> Sequence[int]:
        """Play a step whose slot is on its way to this node."""
        try:
            both = self._client.pipeline(transaction=False)
            both.execute_command("ASKING")
            both.execute_command("EVAL", self._script.text, *self._script.call([step]))
            return figures(both.execute()[1])
        except (RedisError, OSError) as fault:
            raise StoreError("counters") from fault

    async def slots(self) -> Sequence[Any]:
        """Ask for CLUSTER SLOTS."""
        try:
            found: Sequence[Any] = self._client.execute_command("CLUSTER", "SLOTS")
        except (RedisError, OSError) as fault:
            raise StoreError("counters") from fault
        return found


class AwaitedNode(Awaited):
    """One message for all steps of a turn of the loop, with a call for each slot: no script reaches two of them."""

    async def asked(self, step: Step) -> Sequence[int]:
        """Play a step whose slot is on its way to this node."""
        call = ("EVAL", self._script.text, *self._script.call([step]))
        return figures((await self._sent(("ASKING",), call))[1])

    async def slots(self) -> Sequence[Any]:
        """Ask for CLUSTER SLOTS."""
        found: Sequence[Any] = (await self._sent(("CLUSTER", "SLOTS")))[0]
        return found

    async def _sent(self, *calls: tuple[Any, ...]) -> Sequence[Any]:
        """Send calls in one message, all of which must be answered."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._piped(calls, raising=True)
        except (RedisError, OSError) as fault:
            raise StoreError("counters") from fault

    async def _piped(self, calls: Sequence[tuple[Any, ...]], *, raising: bool) -> Sequence[Any]:
        pipe = self._client.pipeline(transaction=False)
        for call in calls:
            pipe.execute_command(*call)
        said: Sequence[Any] = await pipe.execute(raise_on_error=raising)
        return said

    async def _call(self, steps: Sequence[Step]) -> Sequence[Sequence[int] | Exception]:
        groups: dict[int, list[int]] = {}
        for number, (keys, _) in enumerate(steps):
            groups.setdefault(slot_of(keys[0]), []).append(number)
        parts = [[steps[number] for number in numbers] for numbers in groups.values()]
        calls = [("EVALSHA", self._script.sha, *self._script.call(part)) for part in parts]
        replies = list(await self._piped(calls, raising=False))
        lost = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if lost:
            # None of those was played, so this once they may be sent again.
            again = [calls[number] for number in lost]
            _, *fresh = await self._piped([("SCRIPT", "LOAD", self._script.text), *again], raising=False)
            for number, reply in zip(lost, fresh, strict=True):
                replies[number] = reply
        found: list[Sequence[int] | Exception] = [[]] * len(steps)
        for numbers, part, reply in zip(groups.values(), parts, replies, strict=True):
            said: Sequence[Sequence[int] | Exception]
            said = [reply] * len(part) if isinstance(reply, Exception) else divided(part, figures(reply))
            for number, each in zip(numbers, said, strict=True):
                found[number] = each
        return found
