"""Everything that is done to keys: make, list, rotate, revoke. For the command line and for accounts' endpoints.

Each change is one commit with its event and its news, so that no key is made, changed or ended unrecorded and
every process hears of it within a second. What a caller may not do is a `Refusal`. A key never makes or
changes keys: whoever steals one must not be able to outlive its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.credentials.key_format import KeyFormat, new_key_id, new_secret_id
from garrison.credentials.key_order import NewKey, mistakes
from garrison.credentials.key_record import ALLOWANCES, KEEP, KEYS, Allowance, KeyRecord, KeySecret
from garrison.credentials.keys.mac import KeyMacs
from garrison.model.event import Event
from garrison.model.fit import path_text
from garrison.model.ids import random_id
from garrison.model.principal import Principal
from garrison.model.refusal import Refusal, refuse
from garrison.model.scope import missing
from garrison.model.units import duration
from garrison.stores.protocols import Fewer, Put

if TYPE_CHECKING:
    from garrison.credentials.key_format import KeyKind
    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Keys
    from garrison.stores.news import News
    from garrison.stores.protocols import Outcome, Records, Step

__all__ = ["OPERATOR", "By", "Issued", "KeyService"]

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


class Issued(NamedTuple):
    """A key with a new secret: the one time that its text is seen."""

    text: str
    record: KeyRecord


class KeyService:
    """Makes and ends keys. Usable awaited and driven, as its store is."""

    def __init__(self, records: Records, ring: KeyRing, news: News, policy: Keys, randomness: Randomness) -> None:
        """Put the service together.

        Args:
            records: Where keys are stored.
            ring: Root keys; peppers and seals are derived from them.
            news: Takes word of every change to other processes, and to this one at once.
            policy: The policy's `[keys]`.
            randomness: Where secrets come from: `os.urandom`.
        """
        self._records = records
        self._news = news
        self._policy = policy
        self._randomness = randomness
        self._macs = KeyMacs(ring)
        self._format = KeyFormat(policy.brand)

    async def create(self, order: NewKey, by: By, owner: Principal | None = None) -> Issued | Refusal:
        """Make a key.

        Args:
            order: What it is to be.
            by: Who asks for it.
            owner: Whose it is to be. Left out: the actor's; the operator's keys act for themselves.

        Returns:
            The key; or 422 `body_invalid` with every bad field, 403 for a key that asks, or for scopes that
            the actor lacks, 409 `conflict` when the owner has too many.
        """
        refusal = _refused(order, by.actor, owner)
        if refusal is not None:
            return refusal
        for _ in range(_TRIES):
            issued = self._issue(order, by, owner if by.actor is OPERATOR else by.actor)
            outcome = await self._commit(issued.record, by, "key_created", self._first(issued.record, order))
            if outcome.done:
                return Issued(issued.text, outcome.records[0])
            if outcome.condition == "fewer":
                return refuse("conflict", "key_too_many")
        return refuse("conflict", "key_id_taken")

    def _issue(self, order: NewKey, by: By, owner: Principal | None) -> Issued:
        id = new_key_id(self._randomness)
        whose = owner or Principal(subject=id, kind="service")
        expires = by.now + duration(order.expires_in) if order.expires_in else 0
        text, secret = self._secret(id, order.kind, by.now, frozenset())
        return Issued(
            text,
            KeyRecord(
                id=id,
                name=order.name,
                kind=order.kind,
                environment=self._policy.environment,
                owner=whose.id,
                holder=whose.id,
                subject=whose.subject,
                subject_kind=whose.kind,
                issuer=whose.issuer,
                tenant=whose.tenant,
                scopes=order.scopes,
                created=by.now,
                expires=expires,
                secrets=(secret,),
                networks=order.networks,
                routes=order.routes,
                origins=order.origins,
                limits=order.limits,
                counted=order.uses is not None,
                purge=expires + KEEP if expires else 0,
            ),
        )

    def _secret(self, key: str, kind: KeyKind, now: int, taken: frozenset[str]) -> tuple[str, KeySecret]:
        id = new_secret_id(key, taken, self._randomness)
        text = self._format.make(kind, self._policy.environment, id, self._randomness)
        mac = self._macs.mac(text.encode("ascii")).hex()
        return text, KeySecret(id=id, mac=mac, pepper=self._macs.pepper, created=now)

    def _first(self, record: KeyRecord, order: NewKey) -> tuple[Step, ...]:
        most = Fewer(KEYS, "holder", record.holder, self._policy.most_per_owner)
        if order.uses is None:
            return (most,)
        return most, Put(ALLOWANCES, Allowance(id=record.id, left=order.uses, purge=record.purge))

    async def _commit(self, record: KeyRecord, by: By, code: str, further: tuple[Step, ...] = ()) -> Outcome:
        """Store a record with its event and its news, and tell this process at once."""
        news = self._news.step("key", record.id, by.now, random_id(self._randomness, 6))
        steps = (*further, Put(KEYS, self._macs.seal(record)), news)
        outcome = await self._records.commit(steps, (_event(code, record, by),))
        if outcome.done:
            self._news.tell("key", record.id, by.now)
        return outcome


def _refused(order: NewKey, actor: Principal, owner: Principal | None) -> Refusal | None:
    found = mistakes(order)
    if found:
        errors = [{"path": path_text(each.path), "code": each.code, "text": each.text} for each in found]
        return refuse("body_invalid", "fields", members={"errors": errors})
    if actor is OPERATOR:
        return None
    if actor.credential.startswith("key:"):
        return refuse("credential_restricted", "key_makes_key")
    if owner is not None and owner.id != actor.id:
        return refuse("not_found", "key_for_another")
    lacking = missing(actor.scopes, order.scopes)
    return refuse("scope_missing", "scope_missing:" + ",".join(lacking)) if lacking else None


def _event(code: str, record: KeyRecord, by: By, **details: str | int) -> Event:
    return Event(
        code=code,
        at=by.now,
        actor=by.actor.id,
        subject=f"key:{record.id}",
        tenant=record.tenant,
        address=by.address,
        correlation=by.correlation,
        details={"name": record.name, "owner": record.owner, **details},
    )
