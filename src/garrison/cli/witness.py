"""Whom `garrison explain` speaks of: nobody, somebody imagined, or a key or a user as stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec.structs import replace

from garrison.errors import UsageError
from garrison.model.principal import ANONYMOUS, Principal
from garrison.policy.explain import Asked, Explanation, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.credentials.keys.hot import HotKey, KeyPrincipal
    from garrison.model.http.request import Request
    from garrison.policy.plan import Plans
    from garrison.runtime.runtime import Runtime

__all__ = ["Witness", "imagined", "stored"]

_KINDS = ("key", "jwt")


class Witness(NamedTuple):
    """Who would be believed, and what they would present."""

    told: str
    principal: Principal = ANONYMOUS
    presented: tuple[str, ...] = ()
    key: HotKey | None = None
    """A stored key, with what it is restricted to."""

    dead: str = ""
    """Why the stored credential would not be believed at all."""

    def asked(self, method: str, path: str, origin: str, address: str) -> Asked:
        """Put the request together, with the rights that are left to a key that is confined."""
        asked = Asked(method, path, self.principal, self.presented, origin, address)
        return asked._replace(principal=self._confined(asked) or self.principal)

    def judged(self, explanation: Explanation, plans: Plans, asked: Asked) -> Explanation:
        """Put in what only the stored credential knows: that it has ended, where it may be used, its own limits."""
        against = self._against(explanation, plans, asked)
        steps = explanation.steps
        if against is None:
            return explanation._replace(steps=tuple(self._with_own_limits(steps)))
        # The credential is judged right after it is found, before scopes and everything behind them.
        at = next((n for n, step in enumerate(steps) if step.name == "credential" and step.passed), -1)
        if at < 0:
            return explanation
        from garrison.model.http.refusal import REFUSALS

        status = REFUSALS[against.code].status
        return Explanation(
            explanation.observed,
            status,
            against.code,
            explanation.route,
            (*steps[: at + 1], against),
            explanation.observed,
        )

    def _against(self, explanation: Explanation, plans: Plans, asked: Asked) -> Step | None:
        if self.dead:
            return Step("key", False, self.dead, "credential_refused", "Make a new key: garrison keys create")
        if self.key is None or not explanation.route:
            return None
        from garrison.credentials.keys.hot import restricted
        from garrison.policy.plan import Match

        found = plans.find(asked.method, asked.path)
        if not isinstance(found, Match):
            return None
        reason = restricted(self.key, _request(asked), asked.address, found.plan)
        if not reason and self._confined(asked) is None:
            reason = "key_quarantined"
        return None if not reason else Step("key", False, *_RESTRICTIONS[reason])

    def _confined(self, asked: Asked) -> Principal | None:
        """Give whoever acts with a key under quarantine; None when it may not do this at all."""
        if self.key is None or self.key.record.status != "quarantined":
            return self.principal
        from garrison.credentials.keys.hot import confined

        return confined(self.key, cast("KeyPrincipal", self.principal), _request(asked), asked.address)

    def _with_own_limits(self, steps: tuple[Step, ...]) -> Iterator[Step]:
        """Put the key's own limits where the guard spends them: last, before the application."""
        own = self.key.record.limits if self.key is not None else ()
        for step in steps:
            if own and step.name in _AFTER_LIMITS:
                yield _own_limits(own)
                own = ()
            yield step
        if own and steps[-1].passed:
            yield _own_limits(own)


_AFTER_LIMITS = frozenset(("ownership", "body", "page"))


def _own_limits(own: tuple[str, ...]) -> Step:
    return Step("limits", True, "spends the key's own " + ", ".join(f'"{text}"' for text in own))


def _request(asked: Asked) -> Request:
    from garrison.model.http.request import Request

    headers = [(b"origin", asked.origin.encode("latin-1", "replace"))] if asked.origin else []
    return Request(asked.method, asked.path, headers)


_RESTRICTED = "credential_restricted"
_RESTRICTIONS = {
    "key_route": ("the key is not for this route", _RESTRICTED, "Make a key with --route for it"),
    "key_network": (
        "the key may not come from this address",
        _RESTRICTED,
        "Give its address with --from, or a key for its network",
    ),
    "key_origin": (
        "the key may not be used by pages of this origin",
        _RESTRICTED,
        "Give the page's origin with --origin",
    ),
    "key_quarantined": (
        "the key is under quarantine: from here it may only read",
        _RESTRICTED,
        "Look at it, then: garrison keys release",
    ),
}


def imagined(who: str, scopes: tuple[str, ...]) -> Witness:
    """Imagine somebody who presents kinds of credentials and has scopes.

    Raises:
        UsageError: There is no such kind of credential.
    """
    if not who:
        if scopes:
            msg = "say what carries the scopes: --as key or --as jwt"
            raise UsageError(msg)
        return Witness("nobody")
    kinds = tuple(who.split("+"))
    if not set(kinds) <= set(_KINDS) or len(set(kinds)) != len(kinds):
        msg = f"--as {who[:40]!r} is none of key:ID, user:NAME, key, jwt, key+jwt"
        raise UsageError(msg)
    kind = "user" if "jwt" in kinds else "service"
    # A person has just logged in; a key never has.
    fresh = 1 if "jwt" in kinds else 0
    principal = Principal(subject="somebody", kind=kind, scopes=frozenset(scopes), authenticated_at=fresh)
    told = f"{who} with {' '.join(scopes)}" if scopes else f"{who} without scopes"
    return Witness(told, principal, kinds)


def stored(runtime: Runtime, who: str) -> Witness:
    """Find a key or a user.

    Raises:
        UsageError: There is none.
    """
    kind, _, name = who.partition(":")
    if kind == "user":
        from garrison.cli.people import find_user

        user = find_user(runtime, name)
        return Witness(f"{who}, just logged in", replace(user, authenticated_at=1), ("jwt",))
    if kind == "key":
        return _key(runtime, name)
    msg = f"--as {who[:40]!r} is none of key:ID, user:NAME, key, jwt, key+jwt"
    raise UsageError(msg)


def _key(runtime: Runtime, name: str) -> Witness:
    from garrison.credentials.key_format import key_of
    from garrison.credentials.keys.hot import compiled, proved
    from garrison.guard.drive import drive

    side, now = runtime.driven_side, runtime.clock.wall()
    record = drive(side.api_keys.lookup.stored(key_of(name)))
    if record is None:
        msg = f"there is no key {name!r}; see: garrison keys list"
        raise UsageError(msg)
    owner = None
    dead = {"revoked": "the key is revoked", "canary": "the key is a canary: never believed"}.get(record.status, "")
    if side.owners is not None and record.subject_kind != "service":
        owner = drive(side.owners.owner(record.owner))
        if owner is None or not owner.active:
            dead = "the key's owner is gone or blocked"
    if record.environment != runtime.policy.keys_here.environment:
        dead = f"the key is for another environment: {record.environment}"
    if 0 < record.expires <= now:
        dead = "the key has expired"
    if record.counted and _left(runtime, record.id) <= 0:
        dead = "no use of the key is left"
    hot = compiled(record, owner, now)
    return Witness(f"key:{record.id}", proved(hot, record.secrets[0]).principal, ("key",), hot, dead)


def _left(runtime: Runtime, id: str) -> int:
    from garrison.credentials.key_record import ALLOWANCES
    from garrison.guard.drive import drive

    allowance = drive(runtime.driven_side.face.get(ALLOWANCES, id))
    return allowance.left if allowance is not None else 0
