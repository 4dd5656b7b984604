"""Taking over keys that another system issued: their owners notice nothing, and no key is ever asked for.

Only hashes are handed over. Each is hashed once more under our pepper, so that the store holds nothing that
the old system's copy could be compared with, and is replaced by a MAC of the key itself at its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from garrison.credentials.key_change import OPERATOR, By, Change, Changes
from garrison.credentials.key_format import new_key_id, new_secret_id
from garrison.credentials.key_order import NewKey, mistakes, record_of
from garrison.credentials.key_record import ALLOWANCES, SCHEMES, STRAYS, Allowance, KeySecret, Stray
from garrison.credentials.keys.foreign import foreign_mac, read_hash, scheme_of
from garrison.errors import UsageError
from garrison.model.fit import Misfit
from garrison.model.http.refusal import Refusal, invalid, refuse
from garrison.model.principal import Principal
from garrison.stores.protocols import Put

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.credentials.key_record import ForeignScheme, KeyRecord
    from garrison.crypto.ring import KeyRing
    from garrison.stores.protocols import Step

__all__ = ["MOST_IMPORTED", "ForeignKey", "import_hashes"]

MOST_IMPORTED: Final = 500
"""Keys of one call: all of them are one commit."""


class ForeignKey(Struct, frozen=True, kw_only=True):
    """One key of another system."""

    hash: str
    """Hexadecimal or base64."""

    order: NewKey
    """What it is to be here."""

    owner: Principal | None = None
    """Whose it is; None: it acts for itself."""


async def import_hashes(
    changes: Changes, ring: KeyRing, rows: Sequence[ForeignKey], by: By, scheme: str, secret: bytes
) -> Sequence[KeyRecord] | Refusal:
    """Take over keys by their hashes, all or none.

    Args:
        changes: Where they are stored.
        ring: Root keys; a foreign HMAC key is sealed with them.
        rows: At most `MOST_IMPORTED`.
        by: The operator.
        scheme: How they are hashed: `sha256`, `sha512`, or `hmac-sha256:<label>`.
        secret: The other system's HMAC key, for the last of them.

    Returns:
        The new records in order; or 422 with every bad row, 409 when one is here already.

    Raises:
        UsageError: An unknown scheme, its key missing or short, or too many rows.
    """
    if by.actor is not OPERATOR:
        return refuse("not_found", "key_for_another")
    described = scheme_of(scheme, secret, ring, changes.randomness)
    if len(rows) > MOST_IMPORTED:
        msg = f"at most {MOST_IMPORTED} keys at once"
        raise UsageError(msg)
    misfits = list(_misfits(rows, scheme))
    if misfits:
        return invalid(misfits)
    imported = [_change(changes, row, by.now, scheme) for row in rows]
    outcome = await changes.store(imported, by, *await _schemes(changes, described, by.now))
    if not outcome.done:
        return refuse("conflict", "key_known")
    changes.tell(f"scheme:{scheme}", by.now)
    for change in imported:
        changes.tell(change.record.secrets[0].mac.hex(), by.now)
    return [change.record for change in imported]


def _misfits(rows: Sequence[ForeignKey], scheme: str) -> Iterator[Misfit]:
    for at, row in enumerate(rows):
        try:
            read_hash(scheme, row.hash)
        except UsageError as failure:
            yield Misfit((at, "hash"), "format", str(failure))
        for each in mistakes(row.order):
            yield each._replace(path=(at, "order", *each.path))


async def _schemes(changes: Changes, described: ForeignScheme, now: int) -> list[Step]:
    """Store how the keys are hashed, unless it is stored, and tell the other processes in any case."""
    told = changes.news_of(f"scheme:{described.id}", now)
    if await changes.records.get(SCHEMES, described.id) is not None:
        return [told]
    return [Put(SCHEMES, described), told]


def _change(changes: Changes, row: ForeignKey, now: int, scheme: str) -> Change:
    id = new_key_id(changes.randomness)
    macs = changes.macs
    mac = foreign_mac(macs, macs.pepper, scheme, read_hash(scheme, row.hash))
    secret = KeySecret(
        id=new_secret_id(id, frozenset(), changes.randomness), mac=mac, pepper=macs.pepper, scheme=scheme, created=now
    )
    record = replace(record_of(row.order, id, row.owner, changes.environment, now), secrets=(secret,))
    further: list[Step] = [Put(STRAYS, Stray(id=mac.hex(), key=id, secret=secret.id)), changes.news_of(mac.hex(), now)]
    if row.order.uses is not None:
        further.append(Put(ALLOWANCES, Allowance(id=id, left=row.order.uses, purge=record.purge)))
    return Change(record, "key_imported", details={"scheme": scheme}, then=tuple(further))
