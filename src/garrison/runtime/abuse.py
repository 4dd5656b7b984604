"""Suspicion at work: points are given where refusals are recorded, blocks are stored by a job.

A request never waits for a block: it counts in this process at once, and in the store, and with that everywhere,
within a second.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from garrison.admin.blocks import GUARD, REMEMBERED, TOPIC, BlockRow, block, stored
from garrison.errors import PolicyError, Problem, UsageError
from garrison.guard.blocked import Block, Blocked, Lists
from garrison.guard.suspects import MOST_SUSPECTS, Rules, Suspects, widened
from garrison.limits.suspicion import Growth, Score
from garrison.model.event import Event
from garrison.model.ids import random_id
from garrison.model.prefixes import Prefixes
from garrison.model.units import duration
from garrison.stores.near.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.guard.decision import Decision
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Request
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Abuse, Policy
    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = ["MOST_WAITING", "AbuseWatch", "lists_of"]

MOST_WAITING: Final = 1_000
"""Blocks that wait to be stored; further ones hold in this process until it hears of others."""

_TAIL = 6


class AbuseWatch:
    """Blocks and suspicion of one process."""

    def __init__(self, news: News, randomness: Randomness) -> None:
        """Begin with nobody blocked or suspected."""
        self.blocked = Blocked()
        self.suspects = Suspects(lambda: int.from_bytes(randomness(4)))
        self.alarm: Callable[[Event], None] = lambda _: None
        """Told when passwords begin to be sprayed."""

        self._news = news
        self._randomness = randomness
        self._forget = 0
        self._waiting: deque[BlockRow] = deque()
        self._stale = True
        news.listen(TOPIC, self._heard)

    def follow(self, policy: Policy, lists: Lists) -> None:
        """Go by a policy, and what it says about addresses, from now on."""
        rules = _rules(policy.abuse, lists) if policy.abuse is not None else None
        self.suspects.rules = rules
        self._forget = rules.growth.forget if rules is not None else 0
        if policy.abuse is not None:
            self.blocked.most = policy.abuse.most

    def note(self, request: Request, decision: Decision, refusal: Refusal, now: int) -> None:
        """Count a refusal, and shut out whoever has gathered enough."""
        before = self.suspects.sprayed
        verdict = self.suspects.note(request, decision, refusal, now)
        if self.suspects.sprayed and not before:
            self.alarm(_sprayed(self.suspects.sprayed, now))
        if verdict is None:
            return
        network = widened(verdict.network, [each.network for each in self.blocked.live(now)])
        purge = verdict.until + REMEMBERED * self._forget
        row = BlockRow(
            network=network,
            until=verdict.until,
            reason="suspicion",
            at=now,
            former=verdict.former,
            evidence=verdict.evidence,
            purge=purge,
        )
        if self.blocked.add(_block(row), now) and len(self._waiting) < MOST_WAITING:
            self._waiting.append(row)

    async def store(self, records: Records) -> None:
        """Store what was decided here, and hear what was decided elsewhere.

        Raises:
            StoreError: The store could not answer; what is left is stored next time.
        """
        while self._waiting:
            await block(records, self._news, self._waiting[0], random_id(self._randomness, _TAIL))
            self._waiting.popleft()
        if self._stale:
            self._stale = False
            try:
                await self.load(records)
            except BaseException:
                self._stale = True
                raise

    async def load(self, records: Records) -> None:
        """Read every block.

        Raises:
            StoreError: The store could not answer.
        """
        rows = await stored(records)
        # What waits to be stored counts already.
        self.blocked.replace([*map(_block, rows), *map(_block, self._waiting)])
        former: Recent[str, Score] = Recent(MOST_SUSPECTS)
        for row in rows:
            if row.former:
                former.keep(row.network, Score(row.former, row.at))
        self.suspects.former = former
        self._stale = False

    def _heard(self, _network: str, _at: int) -> None:
        self._stale = True


def lists_of(abuse: Abuse | None, read: Callable[[str], bytes]) -> Lists:
    """Compile what a policy says about addresses.

    Args:
        abuse: The policy's `[abuse]`.
        read: Reads a file that the policy names.

    Raises:
        PolicyError: A feed cannot be read, or holds what is no network.
    """
    if abuse is None:
        return Lists()
    lists = Lists(Prefixes((network, None) for network in abuse.allow), Prefixes((one, None) for one in abuse.deny))
    problems = [problem for name in abuse.feeds for problem in _fed(lists.deny, name, read)]
    if problems:
        raise PolicyError(problems)
    return lists


def _fed(deny: Prefixes[None], name: str, read: Callable[[str], bytes]) -> Iterator[Problem]:
    """Take in a feed: one network a line; what follows `#` or `;` is a remark."""
    try:
        lines = read(name).decode("utf-8", "replace").splitlines()
    except OSError as error:
        yield Problem(
            "GP190", "abuse.feeds", 0, f"{name} cannot be read: {error.strerror}", "Put it there, or leave it out"
        )
        return
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].partition(";")[0].strip()
        try:
            if text:
                deny.add(text, None)
        except UsageError as error:
            yield Problem("GP191", "abuse.feeds", 0, f"{name}, line {number}: {error}", "Write one network a line")


def _sprayed(accounts: int, now: int) -> Event:
    return Event(code="login_spraying", at=now, actor=GUARD, outcome="failed", severity="critical", count=accounts)


def _block(row: BlockRow) -> Block:
    return Block(row.network, row.until, row.by != GUARD)


def _rules(abuse: Abuse, lists: Lists) -> Rules:
    return Rules(
        weights={name: getattr(abuse.weights, name) for name in abuse.weights.__struct_fields__},
        half_life=duration(abuse.half_life),
        enough=abuse.enough,
        growth=Growth(duration(abuse.block), duration(abuse.longest), duration(abuse.forget)),
        honeypots=tuple(path.lower() for path in abuse.honeypots),
        scanners=tuple(name.lower() for name in abuse.scanners),
        lists=lists,
        settled=duration(abuse.settled),
        spraying=abuse.spraying,
    )
