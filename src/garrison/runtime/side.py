"""Everything that serves one way of waiting: awaited in a loop, or driven in threads and on the command line.

Both sides of a process share stores, counters, news, revocations and the hash pool; what a credential
remembers is remembered by each side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.accounts.passwords.hashing import Hashing
from garrison.accounts.service import Service, Settings
from garrison.accounts.session import Sessions
from garrison.accounts.user import UserOwners
from garrison.credentials.api_key import ApiKeys
from garrison.credentials.authenticate import OwnAuthentication
from garrison.credentials.jwt import ForeignRights, JwtTokens
from garrison.credentials.key_service import KeyService
from garrison.guard.force import InForce
from garrison.guard.guard import Guard
from garrison.model.net import Networks
from garrison.policy.plan import compile_policy
from garrison.runtime.abuse import lists_of
from garrison.runtime.hashpool import PooledHasher
from garrison.runtime.own import own_endpoints
from garrison.runtime.trust import Trust, fetch_rules
from garrison.runtime.waiting import AWAITED

if TYPE_CHECKING:
    from garrison.credentials.protocol import Credential
    from garrison.model.http.fetch import Fetch
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime
    from garrison.runtime.waiting import Waiting
    from garrison.stores.protocols import Face

__all__ = ["Side"]


class Side:
    """Guard, credentials and services over one face of the store."""

    def __init__(self, runtime: Runtime, face: Face, waiting: Waiting, policy: Policy) -> None:
        """Put a side together.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
        """
        ring, news = runtime.ring, runtime.news
        self.face = face
        self.waiting = waiting
        self._runtime = runtime
        self.trust = Trust(runtime, face, policy, self._fetch(policy))
        self.owners = UserOwners(face, news, runtime.clock.monotonic) if policy.accounts else None
        self.keys = KeyService(face, ring, news, policy.keys_here, runtime.randomness)
        self.api_keys = ApiKeys(face, ring, news, policy.keys_here, policy.service, self.owners)
        self.accounts = self._accounts(policy) if policy.accounts else None
        self.credentials = self._credentials(policy)
        self.counters = runtime.counting.over(face, awaited=waiting is AWAITED)
        force, seen = self.force(policy), runtime.abuse.suspects.seen
        self.guard = Guard(force, self.counters, runtime.clock, runtime.correlate, runtime.record, seen)

    def _credentials(self, policy: Policy) -> dict[str, Credential]:
        issuers = policy.jwt.issuers.values()
        foreign = {each.issuer: ForeignRights(frozenset(each.scopes), each.tenant) for each in issuers}
        tokens = JwtTokens(self.trust.checker, self.trust.issuer.issuer, policy.service, foreign, self.owners)
        found: dict[str, Credential] = {"key": self.api_keys, "jwt": tokens}
        if self._runtime.authenticate is not None:
            beside = (self.api_keys, tokens)
            found["custom"] = OwnAuthentication(self._runtime.authenticate, policy.service, beside=beside)
        return found

    def _accounts(self, policy: Policy) -> Service:
        runtime = self._runtime
        settings = Settings.of(policy)
        hasher = PooledHasher(runtime.hash_pool, self.waiting.settle)
        hashing = Hashing(runtime.ring, hasher, runtime.randomness, settings.cost)
        sessions = Sessions(self.face, self.trust.issuer, self.trust.refresh, runtime.revoked, runtime.randomness)
        return Service(
            settings,
            self.face,
            runtime.ring,
            runtime.news,
            hashing,
            sessions,
            self.keys,
            runtime.randomness,
        )

    def _fetch(self, policy: Policy) -> Fetch | None:
        rules = fetch_rules(policy)
        return None if rules is None else self.waiting.fetch(rules)

    def force(self, policy: Policy) -> InForce:
        """Compile a policy for this side; nothing changes before its result is assigned.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
        """
        endpoints = own_endpoints(policy, self.accounts, self.trust.signing, self._runtime)
        runtime = self._runtime
        plans = compile_policy(policy, endpoints=endpoints, files=runtime.read_file, tally=runtime.tally)
        trusted = Networks.parse(policy.forwarded.peers)
        return InForce(
            plans, self.credentials, trusted, runtime.abuse.blocked, lists_of(policy.abuse, runtime.read_file)
        )
