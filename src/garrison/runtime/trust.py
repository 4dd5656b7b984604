"""Whose tokens are believed, and what issues our own: put together from the policy's `[jwt]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.egress.rules import Rules, read_url
from garrison.model.units import DAY, HOUR, duration
from garrison.tokens.cache import CachedVerifier
from garrison.tokens.checker import Checker, Trusted
from garrison.tokens.issue import Issuer
from garrison.tokens.jwks import Jwks
from garrison.tokens.keys import Rotation, SigningKeys, ring_keys
from garrison.tokens.refresh import RefreshTokens
from garrison.tokens.verifier import Verifier

if TYPE_CHECKING:
    from garrison.model.http.fetch import Fetch
    from garrison.policy.schema import Jwt, Policy
    from garrison.runtime.runtime import Runtime
    from garrison.stores.protocols import Face
    from garrison.tokens.claims import Claims

__all__ = ["Trust", "fetch_rules"]


class Trust:
    """Issuer and checker of one side."""

    __slots__ = ("checker", "issuer", "refresh", "signing")

    def __init__(self, runtime: Runtime, face: Face, policy: Policy, fetch: Fetch | None) -> None:
        """Put it together.

        Args:
            runtime: Lends ring, news and revocations.
            face: The store, in this side's way of waiting.
            policy: What is believed.
            fetch: Reads foreign key sets; None: the policy names no foreign issuer.
        """
        jwt = policy.jwt
        name, audience = jwt.issuer or policy.service, jwt.audience or policy.service
        self.signing: SigningKeys | None = None
        if jwt.algorithm != "HS256":
            rotation = Rotation(keep=max(DAY, duration(jwt.access) + duration(jwt.leeway)) + HOUR)
            self.signing = SigningKeys(face, runtime.ring, runtime.news, jwt.algorithm, rotation)
        keys = ring_keys(runtime.ring) if self.signing is None else self.signing.keys
        self.issuer = Issuer(keys, name, audience, lifetime=duration(jwt.access))
        self.refresh = RefreshTokens(
            face, runtime.ring, runtime.revoked, name, brand=policy.keys.brand, life=duration(jwt.refresh)
        )
        own: Verifier[Claims] = Verifier(keys, name, audience, leeway=duration(jwt.leeway), own=True)
        trusted = [Trusted(own if self.signing is None else CachedVerifier(own, jwt.cache), self.signing)]
        if fetch is not None:
            trusted += _foreign(jwt, fetch)
        self.checker = Checker(trusted, runtime.revoked, face)


def _foreign(jwt: Jwt, fetch: Fetch) -> list[Trusted]:
    trusted = []
    for issuer in jwt.issuers.values():
        source = Jwks(issuer.jwks, fetch, issuer.algorithms)
        verifier: Verifier[Claims] = Verifier(
            source.keys,
            issuer.issuer,
            issuer.audience,
            typ=issuer.typ,
            leeway=duration(jwt.leeway),
            max_age=duration(issuer.max_age),
            scope_claim=issuer.scope_claim,
        )
        trusted.append(Trusted(CachedVerifier(verifier, jwt.cache), source))
    return trusted


def fetch_rules(policy: Policy) -> Rules | None:
    """Give what may be fetched: the key sets of the named issuers, and nothing else; None: nothing at all."""
    hosts = {read_url(issuer.jwks).place for issuer in policy.jwt.issuers.values()}
    return Rules(hosts=tuple(sorted(hosts))) if hosts else None
