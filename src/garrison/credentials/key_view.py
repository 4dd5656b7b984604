"""What may be shown of a key: everything but its MACs and its seal.

It also answers the question that keeps old secrets alive for years: is this one still in use, or may it go?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from garrison.credentials.key_record import is_over
from garrison.model.units import HOUR, SECOND, duration_text, instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.credentials.key_record import KeyRecord, KeySecret, KeyUse

__all__ = ["IDLE", "KeyView", "SecretView", "told", "unreadable", "view"]

IDLE: Final = 6 * HOUR
"""An old secret that was not used for so long, while a newer one was, is safe to drop."""


class SecretView(Struct, frozen=True, kw_only=True):
    """One secret of a key, as its owner may see it."""

    id: str
    created: int
    expires: int
    """End of its overlap, wall microseconds; 0: as long as the key."""

    last_used: int
    """Down to the minute, wall microseconds; 0: never."""

    uses: int
    state: str
    """`current`, `in use`, `safe to drop` or `expired`."""

    idle: int
    """Microseconds since its last use, or since it was made."""

    @property
    def told(self) -> str:
        """Say it in words: `old secret idle for 6h, safe to drop`."""
        if self.state == "current":
            return "current secret"
        hours = duration_text(self.idle - self.idle % HOUR) if self.idle >= HOUR else "less than an hour"
        return f"old secret idle for {hours}, {self.state}"


class KeyView(Struct, frozen=True, kw_only=True):
    """One key, as its owner may see it; `told` says it for programs."""

    id: str
    name: str
    kind: str
    environment: str
    owner: str
    status: str
    reason: str
    scopes: tuple[str, ...]
    created: int
    expires: int
    networks: tuple[str, ...]
    routes: tuple[str, ...]
    origins: tuple[str, ...]
    limits: tuple[str, ...]
    secrets: tuple[SecretView, ...] = ()
    uses_left: int | None = None
    """Uses that no process has taken yet; None where they are not counted."""


def view(record: KeyRecord, now: int, uses: Iterable[KeyUse] = (), left: int | None = None) -> KeyView:
    """Show a key.

    Args:
        record: As stored.
        now: Wall microseconds.
        uses: What is known of its secrets' uses.
        left: Uses left, where they are counted.
    """
    by_secret = {use.id: use for use in uses}
    secrets = tuple([_secret(secret, record, by_secret, now) for secret in record.secrets])
    shared: dict[str, Any] = {name: getattr(record, name) for name in _SHARED}
    status = "expired" if record.status == "active" and is_over(record.expires, now) else record.status
    return KeyView(**shared, status=status, secrets=secrets, uses_left=left)


def told(key: KeyView) -> dict[str, Any]:
    """Say it for programs: instants as texts (RFC 3339), durations as a policy writes them; None: never."""
    written: dict[str, Any] = msgspec.to_builtins(key)
    for part in (written, *written["secrets"]):
        for name in _INSTANTS.intersection(part):
            part[name] = instant_text(part[name]) if part[name] else None
    for secret in written["secrets"]:
        secret["idle"] = duration_text(secret["idle"] // SECOND * SECOND)
    return written


def unreadable(id: str, reason: str) -> KeyView:
    """Show that there is a key which counts for nothing, and why; nothing else in its row is believed."""
    texts: dict[str, Any] = dict.fromkeys(("name", "kind", "environment", "owner"), "")
    lists: dict[str, Any] = dict.fromkeys(("scopes", "networks", "routes", "origins", "limits"), ())
    return KeyView(id=id, status="unreadable", reason=reason, created=0, expires=0, **texts, **lists)


_INSTANTS: Final = frozenset(("created", "expires", "last_used"))
_SHARED: Final = tuple(name for name in KeyView.__struct_fields__ if name not in {"secrets", "uses_left", "status"})


def _secret(secret: KeySecret, record: KeyRecord, uses: dict[str, KeyUse], now: int) -> SecretView:
    use, newest = uses.get(secret.id), uses.get(record.secrets[0].id)
    last = use.last if use else 0
    idle = max(0, now - (last or secret.created))
    # Before the newest was used at all, nobody has moved to it, and a silent old one proves nothing.
    moved = newest is not None and newest.last > last
    state = "safe to drop" if moved and idle >= IDLE else "in use"
    if secret is record.secrets[0]:
        state = "current"
    elif is_over(secret.expires, now):
        state = "expired"
    return SecretView(
        id=secret.id,
        created=secret.created,
        expires=secret.expires,
        last_used=last,
        uses=use.count if use else 0,
        state=state,
        idle=idle,
    )
