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

from garrison.credentials.key_format import format_of, key_of
from garrison.credentials.keys.allowances import Allowances
from garrison.credentials.keys.cache import KeyCache
from garrison.credentials.keys.foreign import is_plausible
from garrison.credentials.keys.hot import KeyPrincipal, Proved, Unproved, confined, restricted
from garrison.credentials.keys.lookup import Lookup
from garrison.credentials.keys.uses import Uses
from garrison.credentials.protocol import Presented
from garrison.model.http.challenge import challenges, scheme
from garrison.model.http.refusal import REFUSALS, Refusal
from garrison.model.units import MINUTE

if TYPE_CHECKING:
    from garrison.credentials.protocol import Owners
    from garrison.crypto.ring import KeyRing
    from garrison.model.http.request import Request
    from garrison.model.principal import Principal
    from garrison.policy.plan import Plan
    from garrison.policy.schema import Keys
    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = ["RELOAD", "WEIGHTS", "ApiKeys"]

WEIGHTS: Final = {
    "key_check": 1,
    "key_form": 1,
    "key_environment": 1,
    "key_expired": 1,
    "key_in_query": 1,
    "key_revoked": 5,
    "key_unknown": 20,
    "key_unknown_foreign": 5,
    "key_wrong_secret": 20,
    "key_row_forged": 20,
    "key_row_unreadable": 1,
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

_ALARMS: Final = frozenset(("key_canary", "key_row_forged", "key_row_unreadable"))
"""Reasons that somebody must look at: a key that was stolen, a store that was written behind our back or is damaged."""

RELOAD: Final = MINUTE
"""Microseconds between two attempts to learn which ids exist."""


class ApiKeys:
    """The credential kind `key`."""

    kind = "key"
    lasts = False

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
        self.challenge = scheme("ApiKey", realm)
        self.uses = Uses(records)
        self.lookup = Lookup(records, ring, news, KeyCache(policy.cache, self.uses.recent), owners)
        self.allowances = Allowances(records)
        self._format = format_of(policy)
        self._id_of = self._format.id_of
        self._header = policy.header.lower().encode("ascii")
        self._headers = challenges([self.challenge])
        self._proved = self.lookup.cache.proved
        self._fresh = news.fresh
        self._loaded = -RELOAD

    async def tend(self, now: int, monotonic: int) -> None:
        """Do what is due, every few seconds: write usage and renewed MACs, return idle uses, learn which ids exist.

        Args:
            now: Wall microseconds.
            monotonic: Monotonic microseconds.

        Raises:
            StoreError: The store could not answer; what is left to do is done next time.
        """
        if not self.lookup.sure and self._fresh(monotonic) and monotonic - self._loaded >= RELOAD:
            self._loaded = monotonic
            await self.lookup.load()
        await self.uses.flush()
        await self.lookup.renewals.flush(now)
        await self.allowances.give_back()

    async def close(self, now: int) -> None:
        """Write what is left and give back what was taken.

        Raises:
            StoreError: The store could not answer.
        """
        await self.uses.flush()
        await self.lookup.renewals.flush(now)
        await self.allowances.give_back(everything=True)

    def find(self, request: Request) -> Presented | Refusal | None:
        """Look for a key in its header field or behind `Authorization: Bearer`; see `Credential.find`."""
        raw, line = request.fields.get(self._header), request.fields.get(b"authorization")
        if request.query or request.repeated or (line is not None and (raw is not None or self._may_claim(line))):
            return self._find_carefully(request)
        if raw is None:
            return None
        digest = sha256(raw).digest()
        return self._proved.get(digest) or self._read(raw, digest)

    async def believe(
        self, presented: Presented, request: Request, address: str, plan: Plan, now: int, monotonic: int
    ) -> Principal | Refusal:
        """Tell whose key it is; see `Credential.believe`."""
        proof = presented.extra
        if type(proof) is not Proved or now >= proof.until or not proof.live or not self._fresh(monotonic):
            found = presented if type(presented) is Unproved else self._again(presented.id, request)
            fresh = self._fresh(monotonic)
            if not fresh:
                self.lookup.doubt()
            proof = await self.lookup.prove(found, now, fresh=fresh)
            if isinstance(proof, str):
                return self._refusal(proof, presented.id)
        if proof.plain:
            return proof.principal
        return self._confine(proof, request, address, plan)

    def lasting(self, presented: Presented) -> Proved | None:
        """Give the proof of a hot key without restrictions; see `Credential.lasting`."""
        proof = presented.extra
        return proof if type(proof) is Proved and proof.plain else None

    def stands(self, lasting: Proved, field: bytes, now: int, monotonic: int) -> bool:
        """Tell whether a key is still hot; see `Credential.stands`."""
        return lasting.live and now < lasting.until and self._fresh(monotonic)

    async def spend(self, principal: Principal) -> Refusal | None:
        """Spend one of the uses of a key that has a number of them; see `Credential.spend`."""
        actor = principal if type(principal) is KeyPrincipal else principal.app
        if type(actor) is not KeyPrincipal or not actor.counted or await self.allowances.spend(key_of(actor.secret)):
            return None
        return self._refusal("key_spent", actor.secret)

    def used(self, principal: Principal, now: int) -> None:
        """Count a use for the next flush; see `Credential.used`."""
        actor = principal if type(principal) is KeyPrincipal else principal.app
        if type(actor) is KeyPrincipal:
            self.uses.note(actor.secret, now)

    def _find_carefully(self, request: Request) -> Presented | Refusal | None:
        raw = self._exposed(request.query) or self._lone(request)
        if isinstance(raw, bytes):
            digest = sha256(raw).digest()
            return self._proved.get(digest) or self._read(raw, digest)
        return raw

    def _again(self, id: str, request: Request) -> Unproved:
        """Take the text of a key that was hot when it was found and is not any more."""
        raw = self._lone(request)
        return (
            Unproved("key", id, "", None, raw, sha256(raw).digest()) if isinstance(raw, bytes) else Unproved("key", id)
        )

    def _lone(self, request: Request) -> bytes | Refusal | None:
        """Take the one key that the request holds, wherever keys may stand."""
        repeated = request.repeated
        if self._header in repeated or b"authorization" in repeated:
            return self._refusal("key_twice", "")
        raw = request.fields.get(self._header)
        scheme, _, token = request.fields.get(b"authorization", b"").partition(b" ")
        token = token.strip(b" ")
        if scheme.lower() != b"bearer" or not self._claims(token):
            return raw
        return token if raw is None else self._refusal("key_twice", "")

    def _may_claim(self, line: bytes) -> bool:
        """Tell whether an `Authorization` field is worth a careful look: any but most tokens."""
        return self._format.mark in line or self.lookup.foreign.possible

    def _claims(self, token: bytes) -> bool:
        """Tell whether a bearer token is a key: by its brand, or because it is no JWT and foreign keys exist."""
        return token.startswith(self._format.mark) or (self.lookup.foreign.possible and token.count(b".") != 2)

    def _read(self, raw: bytes, digest: bytes) -> Presented | Refusal:
        id = self._id_of(raw)
        if id:
            return Unproved("key", id, "", None, raw, digest)
        reason, id = self._format.fault(raw)
        if reason == "key_form" and self.lookup.foreign.possible and is_plausible(raw):
            return Unproved("key", "", "", None, raw, digest)
        return self._refusal(reason, id)

    def _exposed(self, query: bytes) -> Refusal | None:
        """Refuse a key in the query: it stands in logs, histories and `Referer` fields from now on."""
        if not query:
            return None
        if b"%" in query:
            query = unquote_to_bytes(query)
        id = self._format.inside(query) if self._format.mark in query else ""
        return self._refusal("key_in_query", id) if id else None

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
