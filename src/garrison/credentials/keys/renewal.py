"""MACs made anew: under the current pepper, and of the key itself where only a foreign hash was known.

A MAC can only be made while the key is at hand, so it is made at a successful use, and stored by the next
flush. One that is lost with the process is made again at the next use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from garrison.credentials.key_record import KEYS, STRAYS, KeyRow, KeySecret, Stray
from garrison.credentials.keys.foreign import WHOLE
from garrison.errors import UnreadableError
from garrison.stores.protocols import Drop, Put

if TYPE_CHECKING:
    from garrison.credentials.keys.mac import KeyMacs
    from garrison.stores.news import News
    from garrison.stores.protocols import Records, Step

__all__ = ["MOST_WAITING", "Renewals"]

MOST_WAITING: Final = 10_000
"""Renewals that wait for the next flush, at most; further ones wait for their key's next use."""


class _Renewal(NamedTuple):
    key: str
    before: bytes
    after: KeySecret


class Renewals:
    """Secrets whose MAC was made anew and is not yet stored."""

    __slots__ = ("_macs", "_news", "_records", "_waiting")

    def __init__(self, records: Records, macs: KeyMacs, news: News) -> None:
        """Begin with none."""
        self._records = records
        self._news = news
        self._macs = macs
        self._waiting: dict[str, _Renewal] = {}

    def note(self, key: str, secret: KeySecret, raw: bytes) -> None:
        """Renew a secret that was just proved; one that needs no renewal is left alone."""
        macs = self._macs
        aged = secret.pepper != macs.pepper or secret.scheme not in ("", WHOLE)
        if aged and len(self._waiting) < MOST_WAITING:
            scheme = WHOLE if secret.scheme else ""
            after = replace(secret, mac=macs.mac(raw), pepper=macs.pepper, scheme=scheme)
            self._waiting[secret.id] = _Renewal(key, secret.mac, after)

    async def flush(self, now: int) -> int:
        """Store what waits; tells how many.

        Args:
            now: Wall microseconds.

        Raises:
            StoreError: The store could not answer; what was not stored waits for the key's next use.
        """
        waiting, self._waiting = self._waiting, {}
        return sum([await self._store(renewal, now) for renewal in waiting.values()])

    async def _store(self, renewal: _Renewal, now: int) -> bool:
        try:
            row: KeyRow | None = await self._records.get(KEYS, renewal.key)
        except UnreadableError:
            return False
        record = None if row is None else self._macs.open(row)
        if row is None or record is None or isinstance(record, str):
            return False
        secrets = tuple([_renewed(secret, renewal) for secret in record.secrets])
        if secrets == record.secrets:
            return False
        steps: list[Step] = [Put(KEYS, self._macs.row(replace(record, secrets=secrets), row.version))]
        if renewal.after.scheme:
            steps += self._moved(renewal, now)
        # Who is overtaken gives way: the next use notes it again.
        done = (await self._records.commit(steps)).done
        if done:
            self._news.tell("key", renewal.after.mac.hex(), now)
        return done

    def _moved(self, renewal: _Renewal, now: int) -> list[Step]:
        """A key without a public id is found by its MAC: every process must know the new one before it is asked for."""
        mac = renewal.after.mac.hex()
        stray = Stray(id=mac, key=renewal.key, secret=renewal.after.id)
        return [Drop(STRAYS, renewal.before.hex()), Put(STRAYS, stray), self._news.step("key", mac, now, mac[:6])]


def _renewed(secret: KeySecret, renewal: _Renewal) -> KeySecret:
    """Change the one secret, in what only this renewal knows; its dates may have moved meanwhile."""
    after = renewal.after
    if secret.id != after.id or secret.mac != renewal.before:
        return secret
    return replace(secret, mac=after.mac, pepper=after.pepper, scheme=after.scheme)
