"""How a key is changed: read, judged, sealed and stored with its event and its news, as one commit.

So no key is made, changed or ended unrecorded, and every process hears of it within a second. A key never
makes or changes keys: whoever steals one must not be able to outlive its end.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.audit.codes import code_of
from garrison.credentials.key_format import format_of, new_secret_id
from garrison.credentials.key_record import ALLOWANCES, KEYS, KeyRecord, KeyRow, KeySecret
from garrison.credentials.keys.mac import KeyMacs
from garrison.errors import UnreadableError
from garrison.model.event import Event
from garrison.model.http.refusal import REFUSALS, Refusal, refuse
from garrison.model.ids import random_id
from garrison.model.principal import Principal
from garrison.stores.protocols import Drop, Put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from garrison.credentials.key_format import KeyKind
    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Keys
    from garrison.stores.news import News
    from garrison.stores.protocols import Outcome, Records, Step

__all__ = ["OPERATOR", "By", "Change", "Changes", "barred"]

OPERATOR: Final = Principal(kind="operator", subject="console")
"""Whoever runs the command line: holds the store and the root key, so no scope would bind them."""

_TRIES: Final = 5
"""Attempts at a change that others keep overtaking."""


class By(NamedTuple):
    """Who does something, and when and from where: what every event tells."""

    actor: Principal
    now: int
    """Wall microseconds."""

    address: str = ""
    correlation: str = ""


class Change(NamedTuple):
    """A key as it is to be, and what is stored with it."""

    record: KeyRecord
    code: str
    """Code of the event."""

    version: int = 0
    """Of the row that is changed; 0: the key is new."""

    severity: str = ""
    """Empty: the code's usual one."""

    details: Mapping[str, str | int | bool] = MappingProxyType({})
    first: tuple[Step, ...] = ()
    """Conditions."""

    then: tuple[Step, ...] = ()
    """What is stored beside the record."""


class Changes:
    """Makes secrets and stores changed keys."""

    def __init__(self, records: Records, ring: KeyRing, news: News, policy: Keys, randomness: Randomness) -> None:
        """Put it together; see `garrison.credentials.key_service.KeyService`."""
        self.records = records
        self.randomness = randomness
        self.macs = KeyMacs(ring)
        self._news = news
        self._format = format_of(policy)
        self.environment = self._format.environment
        """Which every key that is made or changed here belongs to."""

    def secret(self, key: str, kind: KeyKind, now: int, taken: frozenset[str]) -> tuple[str, KeySecret]:
        """Draw a secret for a key; gives the whole key's text, seen this once, and what is stored of it."""
        id = new_secret_id(key, taken, self.randomness)
        text = self._format.make(kind, id, self.randomness)
        mac = self.macs.mac(text.encode("ascii"))
        return text, KeySecret(id=id, mac=mac, pepper=self.macs.pepper, created=now)

    async def read(self, id: str, by: By) -> KeyRecord | Refusal:
        """Read a key for whoever asks: 404 `not_found` when it is none of theirs, 403 when a key asks."""
        found = await self._read(id, by)
        return found if isinstance(found, Refusal) else found[0]

    async def apply(self, id: str, by: By, edit: Callable[[KeyRecord], Change | str]) -> KeyRecord | Refusal:
        """Change a key.

        Args:
            id: Of the key.
            by: Who asks.
            edit: Gives the change, or the reason why it cannot be (409, `conflict` where the reason is no code itself).
        """
        for _ in range(_TRIES):
            found = await self._read(id, by)
            if isinstance(found, Refusal):
                return found
            change = edit(found[0])
            if isinstance(change, str):
                return refuse(change if change in REFUSALS else "conflict", change)
            outcome = await self.store([change._replace(version=found[1])], by)
            if outcome.done:
                return change.record
        return refuse("conflict", "key_overtaken")

    async def _read(self, id: str, by: By) -> tuple[KeyRecord, int] | Refusal:
        refusal = barred(by.actor)
        if refusal is not None:
            return refusal
        try:
            row: KeyRow | None = await self.records.get(KEYS, id)
        except UnreadableError:
            # Whose it is cannot be read either.
            return refuse("key_unreadable" if by.actor is OPERATOR else "not_found", "key_row_unreadable")
        if row is None or (by.actor is not OPERATOR and row.owner != by.actor.id):
            return refuse("not_found", "key_unknown")
        record = self.macs.open(row)
        return refuse("key_unreadable", record) if isinstance(record, str) else (record, row.version)

    async def remove(self, id: str, by: By, reason: str) -> str | Refusal:
        """Remove the row of a key that cannot be read, for the operator alone.

        Nothing in the row is believed, so there is nothing to mark as revoked; the journal keeps what it was.

        Args:
            id: Of the key.
            by: Who asks.
            reason: Why, for the journal.

        Returns:
            Why it could not be read; 409 `conflict` where it can be.
        """
        found = await self._read(id, by)
        if not isinstance(found, Refusal):
            return refuse("conflict", "key_readable")
        if by.actor is not OPERATOR or found.code != "key_unreadable":
            return found
        event = Event(
            code="key_revoked",
            at=by.now,
            actor=by.actor.id,
            subject=f"key:{id}",
            severity="critical",
            reason=reason,
            details={"unreadable": found.reason},
        )
        await self.records.commit([Drop(KEYS, id), Drop(ALLOWANCES, id), self.news_of(id, by.now)], [event])
        self.tell(id, by.now)
        return found.reason

    async def store(self, changes: Sequence[Change], by: By, *further: Step) -> Outcome:
        """Store changes with their events and news, all or none, and tell this process at once."""
        steps: list[Step] = []
        for change in changes:
            steps += [*change.first, Put(KEYS, self.macs.row(change.record, change.version)), *change.then]
            steps.append(self.news_of(change.record.id, by.now))
        outcome = await self.records.commit([*steps, *further], [_event(change, by) for change in changes])
        if outcome.done:
            for change in changes:
                self._news.tell("key", change.record.id, by.now)
        return outcome

    def news_of(self, value: str, now: int) -> Put:
        """Make the step that tells other processes about a key."""
        return self._news.step("key", value, now, random_id(self.randomness, 6))

    def tell(self, value: str, now: int) -> None:
        """Tell this process about a key, once it is stored."""
        self._news.tell("key", value, now)


def barred(actor: Principal) -> Refusal | None:
    """Refuse a key that wants to see or change keys."""
    return refuse("credential_restricted", "key_makes_key") if actor.credential.startswith("key:") else None


def _event(change: Change, by: By) -> Event:
    record = change.record
    return Event(
        code=change.code,
        at=by.now,
        actor=by.actor.id,
        subject=f"key:{record.id}",
        severity=change.severity or code_of(change.code).severity,
        reason=record.reason,
        address=by.address,
        correlation=by.correlation,
        tenant=record.tenant,
        details={"name": record.name, "owner": record.owner, **change.details},
    )
