"""Everything that is done to keys: make, list, rotate, revoke. For the command line and for accounts' endpoints.

What a caller may not do is a `Refusal`, ready to be answered; nothing here raises but for a store that fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from garrison.credentials.key_change import OPERATOR, By, Change, Changes, barred
from garrison.credentials.key_format import new_key_id
from garrison.credentials.key_import import ForeignKey, import_hashes
from garrison.credentials.key_order import NewKey, is_network, mistakes, record_of
from garrison.credentials.key_record import (
    ALLOWANCES,
    KEEP,
    KEYS,
    MOST_SECRETS,
    USES,
    Allowance,
    KeyRecord,
    KeyRow,
    KeySecret,
    Status,
    is_over,
)
from garrison.credentials.key_view import KeyView, SecretView, unreadable, view
from garrison.model.fit import Misfit
from garrison.model.http.refusal import Refusal, invalid, refuse
from garrison.model.scope import missing
from garrison.model.units import duration
from garrison.stores.page import page
from garrison.stores.protocols import Drop, Fewer, Put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.model.principal import Principal
    from garrison.policy.schema import Keys
    from garrison.stores.news import News
    from garrison.stores.protocols import Records, Step

__all__ = ["OPERATOR", "By", "Issued", "KeyService"]

_TRIES: Final = 5
"""Draws of an id that somebody else has already."""

_USES_SHOWN: Final = 100
"""Secrets of one key whose uses are read: those of a whole record, and of the ones dropped lately."""


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
        self._changes = Changes(records, ring, news, policy, randomness)
        self._records = records
        self._policy = policy
        self._ring = ring

    async def create(
        self, order: NewKey, by: By, owner: Principal | None = None, *, canary: bool = False
    ) -> Issued | Refusal:
        """Make a key.

        Args:
            order: What it is to be.
            by: Who asks for it.
            owner: Whose it is to be, when the operator asks; left out, the key acts for itself. Anyone else
                makes keys of their own.
            canary: Whether it is issued to be stolen: it is never believed, and its use is an alarm.

        Returns:
            The key; or 422 `body_invalid` with every bad field, 403 for a key that asks, or for scopes that
            the actor lacks, 409 `key_too_many`.
        """
        refusal = _refused(order, by.actor, owner, canary=canary)
        if refusal is not None:
            return refusal
        for _ in range(_TRIES):
            issued = self._issue(order, by, owner if by.actor is OPERATOR else by.actor, canary=canary)
            change = Change(issued.record, "key_created", first=self._room(issued.record), then=_counted(issued, order))
            outcome = await self._changes.store([change], by)
            if outcome.done:
                return issued
            if outcome.condition == "fewer":
                return refuse("key_too_many", "key_too_many")
        return refuse("conflict", "key_id_taken")

    async def list(self, by: By, owner: str = "", after: str = "", limit: int = 100) -> Sequence[KeyView] | Refusal:
        """List keys, ordered by id, beginning after an id.

        Each row is judged alone. One that counts for nothing is shown to the operator as `unreadable`, with the
        reason; to its owner it is not shown, since whose it is cannot be believed.

        Args:
            by: Who asks: the operator sees all keys, or those of one owner; anyone else their own.
            owner: `Principal.id`, for the operator.
            after: Id to go on from.
            limit: Most keys to give.
        """
        refusal = barred(by.actor)
        if refusal is not None:
            return refusal
        whose = owner if by.actor is OPERATOR else by.actor.id
        views: list[KeyView] = []
        while len(views) < limit:
            found = await page(self._records, KEYS, "owner" if whose else "", whose, after, limit - len(views))
            shown = [self._shown(row, by.now) for row in found.records]
            shown += [unreadable(found.unreadable, "key_row_unreadable")] if found.unreadable else []
            views += [key for key in shown if by.actor is OPERATOR or key.status != "unreadable"]
            after = found.last
            if not after:
                break
        return views

    async def show(self, id: str, by: By) -> KeyView | Refusal:
        """Show one key with the uses of its secrets."""
        record = await self._changes.read(id, by)
        if isinstance(record, Refusal):
            return record
        uses = (await page(self._records, USES, "key", id, "", _USES_SHOWN)).records
        allowance: Allowance | None = await self._records.get(ALLOWANCES, id) if record.counted else None
        return view(record, by.now, uses, allowance.left if allowance else None)

    async def safe_to_drop(self, id: str, by: By) -> Sequence[SecretView] | Refusal:
        """List the old secrets that nobody uses any more: idle for `key_view.IDLE` while a newer one was used."""
        shown = await self.show(id, by)
        if isinstance(shown, Refusal):
            return shown
        return [secret for secret in shown.secrets if secret.state in {"safe to drop", "expired"}]

    async def rotate(self, id: str, by: By, overlap: int | None = None) -> Issued | Refusal:
        """Give a key a new secret; the old ones work on for the overlap, never beyond what they had.

        Args:
            id: Of the key.
            by: Who asks.
            overlap: Microseconds; None: the policy's. 0 is the panic drop: every other secret ends at once.

        Returns:
            The new text; 409 `key_dead`, `key_environment`, or `key_secrets_full` when it has three living secrets
            already: drop one first.
        """
        text = ""
        lasting = duration(self._policy.overlap) if overlap is None else overlap

        def edit(record: KeyRecord) -> Change | str:
            nonlocal text
            if record.status in {"revoked", "canary"} or is_over(record.expires, by.now):
                return "key_dead"
            if record.environment != self._changes.environment:
                return "key_environment"
            old = _overlapping(record, by.now, lasting)
            if len(old) >= MOST_SECRETS:
                return "key_secrets_full"
            taken = frozenset(secret.id for secret in record.secrets)
            text, secret = self._changes.secret(record.id, record.kind, by.now, taken)
            severity = "" if old else "warning"
            rotated = replace(record, secrets=(secret, *old))
            return Change(rotated, "key_rotated", severity=severity, details={"secret": secret.id, "kept": len(old)})

        record = await self._changes.apply(id, by, edit)
        return record if isinstance(record, Refusal) else Issued(text, record)

    async def drop_old(self, id: str, by: By, secret: str = "") -> KeyRecord | Refusal:
        """End old secrets before their overlap does.

        Args:
            id: Of the key.
            by: Who asks.
            secret: Id of the one to end; empty: all but the newest.
        """

        def edit(record: KeyRecord) -> Change | str:
            kept = [one for at, one in enumerate(record.secrets) if at == 0 or (secret and one.id != secret)]
            if len(kept) == len(record.secrets):
                return "key_secret_unknown"
            details = {"dropped": len(record.secrets) - len(kept)}
            return Change(replace(record, secrets=tuple(kept)), "key_secret_dropped", details=details)

        return await self._changes.apply(id, by, edit)

    async def revoke(self, id: str, by: By, reason: str = "") -> KeyRecord | Refusal:
        """End a key; within a second no process takes it any more. It stays listed for 90 days."""

        def edit(record: KeyRecord) -> Change | str:
            if record.status == "revoked":
                return "key_dead"
            ended = replace(record, status="revoked", reason=reason, purge=by.now + KEEP)
            return Change(ended, "key_revoked", then=(Drop(ALLOWANCES, record.id),))

        return await self._changes.apply(id, by, edit)

    async def remove(self, id: str, by: By, reason: str = "") -> str | Refusal:
        """Remove what is stored of a key that cannot be read, and give why it could not; for the operator alone.

        `revoke` refuses such a key (409 `key_unreadable`): nothing in its row can be believed, or kept.
        """
        return await self._changes.remove(id, by, reason)

    async def quarantine(self, id: str, by: By, reason: str = "", known: Sequence[str] = ()) -> KeyRecord | Refusal:
        """Let a key only read until somebody has looked at it.

        Args:
            id: Of the key.
            by: Who asks.
            reason: What is suspected, for the journal.
            known: Networks from which it works as before.
        """
        bad = [
            Misfit(("known", at), "format", "must be a network")
            for at, text in enumerate(known)
            if not is_network(text)
        ]
        if bad:
            return invalid(bad)
        edit = _to("quarantined", "key_quarantined", reason, tuple(known))
        return await self._changes.apply(id, by, edit)

    async def release(self, id: str, by: By, reason: str = "") -> KeyRecord | Refusal:
        """End the quarantine of a key."""
        return await self._changes.apply(id, by, _to("active", "key_released", reason, ()))

    async def import_hashes(
        self, rows: Sequence[ForeignKey], by: By, scheme: str = "sha256", secret: bytes = b""
    ) -> Sequence[KeyRecord] | Refusal:
        """Take over keys of which only hashes are known; see `garrison.credentials.key_import`."""
        return await import_hashes(self._changes, self._ring, rows, by, scheme, secret)

    def _issue(self, order: NewKey, by: By, owner: Principal | None, *, canary: bool) -> Issued:
        id = new_key_id(self._changes.randomness)
        text, secret = self._changes.secret(id, order.kind, by.now, frozenset())
        record = record_of(order, id, owner, self._changes.environment, by.now)
        return Issued(text, replace(record, secrets=(secret,), status="canary" if canary else "active"))

    def _shown(self, row: KeyRow, now: int) -> KeyView:
        record = self._changes.macs.open(row)
        return unreadable(row.id, record) if isinstance(record, str) else view(record, now)

    def _room(self, record: KeyRecord) -> tuple[Step, ...]:
        return (Fewer(KEYS, "holder", record.owner, self._policy.most_per_owner),)


def _counted(issued: Issued, order: NewKey) -> tuple[Step, ...]:
    if order.uses is None:
        return ()
    return (Put(ALLOWANCES, Allowance(id=issued.record.id, left=order.uses, purge=issued.record.purge)),)


def _refused(order: NewKey, actor: Principal, owner: Principal | None, *, canary: bool) -> Refusal | None:
    found = mistakes(order)
    if found:
        return invalid(found)
    if actor is OPERATOR:
        return None
    if canary or (owner is not None and owner.id != actor.id):
        return refuse("not_found", "key_for_another")
    lacking = missing(actor.scopes, order.scopes)
    return barred(actor) or (refuse("scope_missing", "scope_missing:" + ",".join(lacking)) if lacking else None)


def _to(status: Status, code: str, reason: str, known: tuple[str, ...]) -> Callable[[KeyRecord], Change | str]:
    """Move a key between active and quarantined; whatever else it is, it stays."""
    before = "active" if status == "quarantined" else "quarantined"

    def edit(record: KeyRecord) -> Change | str:
        if record.status != before:
            return "key_not_" + before
        return Change(replace(record, status=status, reason=reason, known=known), code)

    return edit


def _overlapping(record: KeyRecord, now: int, lasting: int) -> tuple[KeySecret, ...]:
    """Cut the living secrets to the overlap; one that ends sooner already keeps its end."""
    end = now + lasting
    living = [secret for secret in record.secrets if lasting and not is_over(secret.expires, now)]
    return tuple([replace(secret, expires=min(secret.expires or end, end)) for secret in living])
