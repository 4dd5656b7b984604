"""What was ended before its time: single tokens, sessions, everything of a subject.

Kept in the store and, as far as it can still matter, in the memory of every process; news of a change reaches
all within a second. A token is known by issuer and `jti`, never by its text or the hash of it: one grant can
have many texts, since anybody can turn an ECDSA signature into another right one.

Sources: RFC 7009; OWASP JSON Web Token cheat sheet (revocation); RFC 7519 section 4.1.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from garrison.errors import StoreError, TokenError, UsageError
from garrison.model.units import DAY
from garrison.stores.protocols import Drop, Kind, Put, Record

if TYPE_CHECKING:
    from garrison.model.event import Event
    from garrison.model.ids import Randomness
    from garrison.stores.news import News
    from garrison.stores.protocols import Records, Step
    from garrison.tokens.claims import Claims

__all__ = ["LONGEST", "REVOCATIONS", "TOPIC", "Ending", "Revocation", "Revocations"]

LONGEST = DAY
"""Longest life of a token, microseconds. What was ended is remembered in memory that long."""

TOPIC = "token"
"""Under which name news of an ending is sent."""

_PAGE = 1000
_TRIES = 8


class Revocation(Record, frozen=True, kw_only=True):
    """One ending."""

    id: str
    """`jti:<issuer>:<jti>`, `sid:<issuer>:<session>` or `sub:<issuer>:<tenant>:<subject>`, parts percent-encoded."""

    at: int
    """When, wall microseconds."""

    until: int = 0
    """When no token it concerns can live any longer, wall microseconds; 0 for subjects, which count for ever."""

    epoch: int = 0
    """For a subject: tokens of an earlier epoch are ended."""


REVOCATIONS = Kind(name="revocations", struct=Revocation, expires="until")


class Ending(NamedTuple):
    """Something about to be ended: add the steps to a commit, and once it is done, tell."""

    record: Revocation
    steps: tuple[Step, ...]
    news: str


class _Ended:
    """What was ended of one issuer: by name, with the instant from which that may be forgotten."""

    __slots__ = ("jti", "sid", "sub")

    def __init__(self) -> None:
        self.jti: dict[str, int] = {}
        self.sid: dict[str, int] = {}
        self.sub: dict[str, dict[str, Revocation]] = {}
        """By subject, then by tenant: nearly every token is done after the first look."""


class Revocations:
    """The local set; checked at every token, fed by news."""

    def __init__(self, news: News, longest: int = LONGEST) -> None:
        """Listen to news.

        Args:
            news: Brings what other processes ended, and knows whether that is fresh.
            longest: Longest life of any token this process accepts, microseconds.
        """
        self._news = news
        self.fresh = news.fresh
        """Tells for a monotonic instant whether memory may be trusted; if not, `ask`."""

        self._longest = longest
        self._issuers: dict[str, _Ended] = {}
        self._passing: list[tuple[int, str]] = []
        self._lock = Lock()
        news.listen(TOPIC, self._heard)

    def lengthen(self, longest: int) -> None:
        """Remember as long as tokens may live from now on; never shorter, since those issued before live on."""
        self._longest = max(self._longest, longest)

    def refuses(self, claims: Claims, issuer: str = "") -> bool:
        """Tell whether what is in memory ends this token.

        Args:
            claims: What it says.
            issuer: Its `iss`, if the caller has it as a text whose hash is known already.
        """
        ended = self._issuers.get(issuer or claims.iss)
        if ended is None:
            return False
        if claims.jti in ended.jti or claims.sid in ended.sid:
            return True
        tenants = ended.sub.get(claims.sub)
        return tenants is not None and claims.tenant in tenants and _ends(tenants[claims.tenant], claims)

    async def ask(self, records: Records, claims: Claims) -> None:
        """Ask the store itself, because memory is not proved fresh.

        Raises:
            TokenError: It was ended: `revoked`.
            StoreError: The store could not answer; then nobody knows, and the request must not pass.
        """
        parts = ("sub", claims.tenant, claims.sub), ("jti", claims.jti), ("sid", claims.sid)
        for name in (_name(kind, claims.iss, *named) for kind, *named in parts if named[-1]):
            found: Revocation | None = await records.get(REVOCATIONS, name)
            if found is not None and (name.startswith(("jti", "sid")) or _ends(found, claims)):
                raise TokenError("revoked")

    async def load(self, records: Records, now: int) -> None:
        """Read at start what was ended before, as far as it still matters.

        Raises:
            StoreError: The store could not answer.
        """
        after = ""
        while page := await records.find(REVOCATIONS, "", "", after, _PAGE):
            for record in page:
                if record.until or record.at > now - self._longest:
                    self._remember(record)
            after = page[-1].id

    async def epoch(self, records: Records, issuer: str, subject: str, tenant: str = "") -> int:
        """Tell how often everything of a subject was ended: what its next token must carry.

        Raises:
            StoreError: The store could not answer.
        """
        found: Revocation | None = await records.get(REVOCATIONS, _name("sub", issuer, tenant, subject))
        return 0 if found is None else found.epoch

    def token(
        self, issuer: str, jti: str, until: int, now: int, randomness: Randomness, *, once: bool = False
    ) -> Ending:
        """Prepare the end of one token.

        Args:
            issuer: Its `iss`.
            jti: Its `jti`.
            until: Its `exp` and leeway, wall microseconds.
            now: Wall microseconds.
            randomness: For the name of the news.
            once: Whether it must not have been ended before: of two that exchange one token, one wins.
        """
        return self._ending(Revocation(id=_name("jti", issuer, jti), at=now, until=until), randomness, once=once)

    def session(self, issuer: str, session: str, now: int, randomness: Randomness) -> Ending:
        """Prepare the end of every token of one session."""
        name = _name("sid", issuer, session)
        return self._ending(Revocation(id=name, at=now, until=now + self._longest), randomness)

    async def end(
        self, records: Records, endings: Sequence[Ending], *, steps: Sequence[Step] = (), events: Sequence[Event] = ()
    ) -> bool:
        """Commit endings with whatever belongs to them; in this process they count from the next instruction on.

        Returns:
            False when a condition did not hold, of `steps` or of an ending made with `once`; then nothing was ended.

        Raises:
            StoreError: The store could not answer.
        """
        own = [step for ending in endings for step in ending.steps]
        outcome = await records.commit([*steps, *own], events)
        if outcome.done:
            for ending in endings:
                self._remember(ending.record)
        return outcome.done

    async def end_subject(
        self,
        records: Records,
        issuer: str,
        subject: str,
        now: int,
        randomness: Randomness,
        *,
        tenant: str = "",
        events: Sequence[Event] = (),
    ) -> int:
        """End every token a subject has, of all sessions.

        Returns:
            The new epoch: what tokens must carry from now on.

        Raises:
            StoreError: The store could not answer, or others kept ending the same subject.
        """
        name = _name("sub", issuer, tenant, subject)
        for _ in range(_TRIES):
            found: Revocation | None = await records.get(REVOCATIONS, name)
            version, epoch = (0, 1) if found is None else (found.version, found.epoch + 1)
            record = Revocation(id=name, at=now, epoch=epoch, version=version)
            news = _news_of(record)
            steps = (Put(REVOCATIONS, record), self._news.step(TOPIC, news, now, randomness(6).hex()))
            if await self.end(records, [Ending(record, steps, news)], events=events):
                return epoch
        msg = "others kept ending the same subject"
        raise StoreError(msg)

    def _ending(self, record: Revocation, randomness: Randomness, *, once: bool = False) -> Ending:
        value = _news_of(record)
        puts = Put(REVOCATIONS, record), self._news.step(TOPIC, value, record.at, randomness(6).hex())
        if once:
            return Ending(record, puts, value)
        # Dropped first, so that ending twice is no error, nor is committing again what may have been committed.
        return Ending(record, tuple(step for put in puts for step in (_drop(put), put)), value)

    def _heard(self, value: str, at: int) -> None:
        until, epoch, name = value.split(" ", 2)
        self._remember(Revocation(id=name, at=at, until=int(until), epoch=int(epoch)))

    def _remember(self, record: Revocation) -> None:
        with self._lock:
            ended, kind, names = self._placed(record.id)
            until = record.until or record.at + self._longest
            if kind == "sub":
                tenants = ended.sub.setdefault(names[1], {})
                known = tenants.get(names[0])
                # News may come late or twice; an epoch never goes back.
                if known is None or known.epoch < record.epoch:
                    tenants[names[0]] = record
            else:
                table = ended.jti if kind == "jti" else ended.sid
                table[names[0]] = max(until, table.get(names[0], 0))
            heappush(self._passing, (until, record.id))
            while self._passing and self._passing[0][0] < record.at:
                self._forget(heappop(self._passing)[1], record.at)

    def _forget(self, name: str, now: int) -> None:
        """Drop what no living token can be concerned by; a little at each ending, so that no timer is needed."""
        ended, kind, names = self._placed(name)
        if kind == "sub":
            self._forget_subject(ended, names[0], names[1], now)
            return
        table = ended.jti if kind == "jti" else ended.sid
        if table.get(names[0], now) < now:
            del table[names[0]]

    def _forget_subject(self, ended: _Ended, tenant: str, subject: str, now: int) -> None:
        tenants = ended.sub.get(subject, {})
        if tenant in tenants and tenants[tenant].at + self._longest < now:
            # Another dictionary, since a thread may be between looking for a tenant in this one and finding it.
            rest = {name: record for name, record in tenants.items() if name != tenant}
            if rest:
                ended.sub[subject] = rest
            else:
                del ended.sub[subject]

    def _placed(self, name: str) -> tuple[_Ended, str, list[str]]:
        kind, *parts = name.split(":")
        issuer, *names = map(unquote, parts)
        return self._issuers.setdefault(issuer, _Ended()), kind, names


def _ends(subject: Revocation, claims: Claims) -> bool:
    """Tell whether everything of a subject was ended after this token was issued.

    Our own tokens say in which epoch they were issued, so that no clock decides. A foreign issuer's only say
    when, in seconds: those of the same second are ended too.
    """
    if claims.epoch is not None:
        return claims.epoch < subject.epoch
    return claims.iat * 1_000_000 <= subject.at


def _name(kind: str, *parts: str) -> str:
    if not parts[-1]:
        msg = "nothing without a name can be ended"
        raise UsageError(msg)
    return ":".join((kind, *(quote(part, safe="") for part in parts)))


def _drop(put: Put) -> Drop:
    return Drop(put.kind, getattr(put.record, put.kind.key))


def _news_of(record: Revocation) -> str:
    return f"{record.until} {record.epoch} {record.id}"
