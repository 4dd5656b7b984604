"""An API key as it is stored: one record with up to three secrets, and what the key is for.

The record never holds a secret, only its peppered MAC. It is stored as bytes with a seal over them, so that a
row which somebody planted or changed behind our back is not even read. `garrison.credentials.keys.mac` writes
and opens rows.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from garrison.credentials.key_format import Environment, KeyKind
from garrison.model.units import DAY
from garrison.stores.protocols import Kind, Record

__all__ = [
    "ALLOWANCES",
    "KEEP",
    "KEYS",
    "KEY_KINDS",
    "MOST_SECRETS",
    "SCHEMES",
    "STRAYS",
    "USES",
    "Allowance",
    "ForeignScheme",
    "KeyRecord",
    "KeyRow",
    "KeySecret",
    "KeyUse",
    "Status",
    "Stray",
    "is_over",
]

Status: TypeAlias = Literal["active", "quarantined", "canary", "revoked"]
"""`canary`: issued to be stolen, its use is an alarm. `quarantined`: reads only, until somebody has looked."""

MOST_SECRETS: Final = 3
"""The one in use, the one it replaces, and one more for a rotation that had to be done again."""

KEEP: Final = 90 * DAY
"""Microseconds that a dead key stays listed, so that its last uses can still be explained."""


class KeySecret(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One secret of a key."""

    id: str
    """Public; what the key's text shows."""

    mac: bytes
    """HMAC-SHA-256 of the whole key under the pepper."""

    pepper: str
    """Id of the root key that the pepper is derived from."""

    created: int
    """Wall microseconds."""

    scheme: str = ""
    """Empty for a key of our own form; else it came from elsewhere, and how the MAC's text is made: `sha256`,
    `sha512`, `hmac-sha256:<label>` of the key, or `whole` once the key itself was seen."""

    expires: int = 0
    """End of the overlap after a rotation, wall microseconds; 0: as long as the key."""


class KeyRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One API key: whose it is, what it may, where from, until when.

    Fields are only ever added, with a default: then a row of an earlier release is still read. A field of a later
    release may be a restriction, so a row that has one is refused here rather than read without it.
    """

    id: str
    """Stable through rotations; the name in lists, logs and limits."""

    name: str
    """What people call it."""

    kind: KeyKind
    environment: Environment

    owner: str
    """`Principal.id` of whoever acts when the key is used."""

    subject: str
    """The four parts of the owner; a key without one acts for itself: `service`, its id."""

    subject_kind: str = "service"
    issuer: str = ""
    tenant: str = ""
    scopes: tuple[str, ...] = ()
    """What was granted; in effect is what the owner may now of it."""

    status: Status = "active"
    reason: str = ""
    """Why it is in this state."""

    created: int
    """Wall microseconds."""

    expires: int = 0
    """Wall microseconds; 0: never."""

    secrets: tuple[KeySecret, ...] = ()
    networks: tuple[str, ...] = ()
    """Networks the key may come from, in CIDR form; empty: any."""

    routes: tuple[str, ...] = ()
    """Routes of the policy the key may be used for, `GET /notes/{id}`; empty: any."""

    origins: tuple[str, ...] = ()
    """Origins whose pages may use the key; a publishable key has at least one."""

    known: tuple[str, ...] = ()
    """Networks from which a quarantined key works as before."""

    limits: tuple[str, ...] = ()
    """Limits of this key alone, in the policy's notation."""

    counted: bool = False
    """Whether uses are numbered; then an `Allowance` stands beside the record."""

    purge: int = 0
    """When the record may be cleaned up, wall microseconds; 0: never."""


class KeyRow(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A key as the store has it."""

    id: str
    owner: str
    holder: str = ""
    """The owner again while the key counts among theirs; a revoked key does not."""

    purge: int = 0
    facts: bytes
    """The `KeyRecord`, as MessagePack."""

    root: str
    """Id of the root key that the seal is made with."""

    seal: bytes
    """Keyed hash over the facts."""


KEYS = Kind(name="api_key", struct=KeyRow, indexes=("owner", "holder"), expires="purge")


class KeyUse(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How often and when one secret was used; written in batches, coarse."""

    id: str
    """Id of the secret."""

    key: str
    """Id of the key."""

    count: int = 0
    last: int = 0
    """Wall microseconds, down to the minute."""

    purge: int = 0


USES = Kind(name="api_key_use", struct=KeyUse, indexes=("key",), expires="purge", durable=False)


class Allowance(Record, frozen=True, kw_only=True):
    """How many uses of a key are left to hand out, exactly."""

    id: str
    """Id of the key."""

    left: int
    purge: int = 0


ALLOWANCES = Kind(name="api_key_allowance", struct=Allowance, expires="purge")


class Stray(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where to find a key that shows no public id, because another system issued it."""

    id: str
    """The secret's MAC, hexadecimal."""

    key: str
    secret: str


STRAYS = Kind(name="api_key_stray", struct=Stray)


class ForeignScheme(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A way in which another system hashed its keys."""

    id: str
    """`sha256`, `sha512` or `hmac-sha256:<label>`."""

    sealed: str = ""
    """The other system's HMAC key, sealed."""


SCHEMES = Kind(name="api_key_scheme", struct=ForeignScheme)

KEY_KINDS: Final = (KEYS, USES, ALLOWANCES, STRAYS, SCHEMES)
"""Every kind that API keys need; a store is opened with them."""


def is_over(end: int, now: int) -> bool:
    """Tell whether the end of a key or secret has come; at the very instant it has, and 0 is none."""
    return 0 < end <= now
