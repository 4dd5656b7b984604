"""API keys as a credential: found by their form, believed by a keyed hash, at most a second out of date.

The order of `believe`: what is hot needs one digest. Everything else goes the careful way: read the row by
its public id, check its seal, compute the MAC even when there is no row, and only then say anything. Unknown,
wrong, expired and revoked keys all get one public answer; the reason goes to the journal.

Sources: RFC 6750 section 2.1 (`Authorization: Bearer`), RFC 9110 section 11.6.1 (challenges).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from garrison.credentials.key_format import KeyFormat, key_of
from garrison.credentials.key_record import KEYS
from garrison.credentials.keys.cache import KeyCache
from garrison.credentials.keys.hot import HotKey, KeyPrincipal, Proved, compiled, confined, proved, restricted
from garrison.credentials.keys.mac import KeyMacs
from garrison.credentials.keys.uses import Uses
from garrison.credentials.protocol import Presented
from garrison.model.principal import Principal
from garrison.model.refusal import REFUSALS, Refusal

if TYPE_CHECKING:
    from garrison.credentials.key_record import KeyRecord, KeySecret
    from garrison.credentials.protocol import Owners
    from garrison.crypto.ring import KeyRing
    from garrison.model.principal import Principal
    from garrison.model.request import Request
    from garrison.policy.plan import Plan
    from garrison.policy.schema import Keys
    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = ["WEIGHTS", "ApiKeys"]

WEIGHTS: Final = {
    "key_check": 1,
    "key_form": 1,
    "key_environment": 1,
    "key_expired": 1,
    "key_in_query": 1,
    "key_revoked": 5,
    "key_unknown": 20,
    "key_wrong_secret": 20,
    "key_row_forged": 20,
    "key_canary": 100,
}
"""How suspicious each reason is: a typing error little, a well-formed key that never existed much."""

_CODES: Final = {
    "key_form": "credential_malformed",
    "key_check": "credential_malformed",
    "key_in_query": "credential_malformed",
    "key_twice": "credential_ambiguous",
    "key_route": "credential_restricted",
    "key_network": "credential_restricted",
    "key_origin": "credential_restricted",
    "key_quarantined": "credential_restricted",
}
"""Reasons that are told apart in public: form is no secret, and a restriction is told to whoever holds the key."""

_DEAD: Final = {"revoked": "key_revoked", "canary": "key_canary"}
_ALARMS: Final = frozenset(("key_canary", "key_row_forged"))

_TRIES: Final = 3
"""Reads of one row that news overtook; after that the last one counts, and is not remembered."""

_NOBODY: Final = "0" * 64
"""Compared with where there is no key, so that the work is the same."""


class ApiKeys:
    """The credential kind `key`."""

    kind = "key"

    def __init__(
        self,
        records: Records,
        ring: KeyRing,
        news: News,
        policy: Keys,
        realm: str,
        owners: Owners | None = None,
    ) -> None:
        """Put the kind together.

        Args:
            records: Where keys are stored.
            ring: Root keys; peppers and seals are derived from them.
            news: Brings what other processes ended: topics `key` and `subject`.
            policy: The policy's `[keys]`.
            realm: What the challenge names, printable ASCII without quotes.
            owners: Who knows what owners may now; None where there are no accounts.
        """
        self.challenge = f'ApiKey realm="{realm}"'.encode("ascii")
        self.format = KeyFormat(policy.brand)
        self.macs = KeyMacs(ring)
        self.cache = KeyCache(policy.cache)
        self._headers = ((b"www-authenticate", self.challenge),)
        self._environment = policy.environment
        self._header = policy.header.lower().encode("ascii")
        self._records = records
        self._owners = owners
        self._fresh = news.fresh
        self.uses = Uses(records)
        self._proved = self.cache.proved
        news.listen("key", self.cache.drop)
        news.listen("subject", self.cache.drop_owner)

    def find(self, request: Request) -> Presented | Refusal | None:
        """Look for a key in its header field or behind `Authorization: Bearer`; see `Credential.find`."""
        raw = request.fields.get(self._header)
        if raw is None or request.query or request.repeated or b"authorization" in request.fields:
            return self._find_carefully(request)
        return self._proved.get(sha256(raw).digest()) or self._read(raw)

    async def believe(
        self, presented: Presented, request: Request, address: str, plan: Plan, now: int, monotonic: int
    ) -> Principal | Refusal:
        """Tell whose key it is; see `Credential.believe`."""
        proof: Proved | None = presented.extra
        if proof is None or not proof.live or not self._fresh(monotonic):
            found = await self._prove(presented, request, now, monotonic)
            if isinstance(found, str):
                return self._refusal(found, presented.id)
            proof = found
        if now >= proof.until:
            return self._refusal("key_expired", presented.id)
        if proof.plain:
            return proof.principal
        return self._confine(proof, request, address, plan)

    def used(self, principal: Principal, route: str, now: int) -> None:
        """Count a use for the next flush; see `Credential.used`."""
        actor = principal if type(principal) is KeyPrincipal else principal.app
        if type(actor) is KeyPrincipal:
            self.uses.note(actor.tally, now)

    def _find_carefully(self, request: Request) -> Presented | Refusal | None:
        raw = self._exposed(request.query) or self._lone(request)
        if isinstance(raw, bytes):
            return self._proved.get(sha256(raw).digest()) or self._read(raw)
        return raw

    def _lone(self, request: Request) -> bytes | Refusal | None:
        """Take the one key that the request holds, wherever keys may stand."""
        repeated = request.repeated
        if self._header in repeated or b"authorization" in repeated:
            return self._refusal("key_twice", "")
        raw = request.fields.get(self._header)
        scheme, _, token = request.fields.get(b"authorization", b"").partition(b" ")
        token = token.strip(b" ")
        if scheme.lower() != b"bearer" or not token.startswith(self.format.mark):
            return raw
        return token if raw is None else self._refusal("key_twice", "")

    def _read(self, raw: bytes) -> Presented | Refusal:
        parts = self.format.read(raw)
        if isinstance(parts, str):
            return self._refusal(parts, "")
        if parts.environment != self._environment:
            return self._refusal("key_environment", parts.id)
        return Presented("key", parts.id, raw.decode("ascii"))

    def _exposed(self, query: bytes) -> Refusal | None:
        """Refuse a key in the query: it stands in logs, histories and `Referer` fields from now on."""
        if not query:
            return None
        if b"%" in query:
            query = unquote_to_bytes(query)
        id = self.format.inside(query) if self.format.mark in query else ""
        return self._refusal("key_in_query", id) if id else None

    async def _prove(self, presented: Presented, request: Request, now: int, monotonic: int) -> Proved | str:
        """Go the careful way; gives the reason against where there is one."""
        raw = presented.text.encode("ascii") or self._lone(request)
        fresh = self._fresh(monotonic)
        if not fresh:
            # Nobody knows what was missed until news is proved fresh again.
            self.cache.clear()
        key = await self._key(key_of(presented.id), fresh=fresh)
        secret = None if isinstance(key, str) else _secret(key.record, presented.id)
        if isinstance(key, str) or secret is None or not isinstance(raw, bytes):
            self.macs.proves(presented.id.encode(), _NOBODY, self.macs.pepper)
            return key if isinstance(key, str) else "key_unknown"
        if not self.macs.proves(raw, secret.mac, secret.pepper):
            return "key_wrong_secret"
        if key.record.status in _DEAD:
            return _DEAD[key.record.status]
        proof = proved(key, secret)
        if fresh:
            self.cache.prove(sha256(raw).digest(), Presented("key", presented.id, "", proof), key)
        return proof

    async def _key(self, id: str, *, fresh: bool) -> HotKey | str:
        """Fetch a key, from what is hot or from the store; gives the reason against where there is one."""
        hot = self.cache.get(id) if fresh else None
        if hot is not None:
            return hot
        for _ in range(_TRIES):
            begun = self.cache.begin()
            record = await self._records.get(KEYS, id)
            if record is None:
                return "key_unknown"
            if record.id != id or not self.macs.genuine(record):
                return "key_row_forged"
            owner = None
            if self._owners is not None and record.subject_kind != "service":
                owner = await self._owners.owner(record.owner)
                if owner is None or not owner.active:
                    return "key_owner_gone"
            key = compiled(record, owner)
            if not fresh or self.cache.put(key, begun):
                break
        return key

    def _confine(self, proof: Proved, request: Request, address: str, plan: Plan) -> Principal | Refusal:
        key = proof.key
        reason = restricted(key, request, address, plan)
        if reason:
            return self._refusal(reason, key.record.id)
        if key.record.status == "active":
            return proof.principal
        principal = confined(key, proof.principal, request, address)
        return self._refusal("key_quarantined", key.record.id) if principal is None else principal

    def _refusal(self, reason: str, id: str) -> Refusal:
        """Refuse: the same public answer for all that failed to prove itself, the reason for the journal."""
        code = _CODES.get(reason, "credential_refused")
        status, title, detail = REFUSALS[code]
        return Refusal(
            code,
            status,
            title,
            detail,
            reason,
            headers=self._headers if status == 401 else (),
            weight=WEIGHTS.get(reason, 1),
            subject=f"key:{key_of(id)}" if id else "",
            severity="critical" if reason in _ALARMS else "warning",
        )


def _secret(record: KeyRecord, id: str) -> KeySecret | None:
    for secret in record.secrets:
        if secret.id == id:
            return secret
    return None
