"""Whom `garrison explain` speaks of: nobody, somebody imagined, or a key or a user as stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from garrison.errors import UsageError
from garrison.model.principal import ANONYMOUS, Principal
from garrison.policy.explain import Explanation, Step

if TYPE_CHECKING:
    from garrison.credentials.keys.hot import HotKey
    from garrison.policy.explain import Asked
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

    def judged(self, explanation: Explanation, plans: Plans, asked: Asked) -> Explanation:
        """Put in what only the stored credential knows: that it has ended, and where it may be used."""
        against = self._against(explanation, plans, asked)
        if against is None:
            return explanation
        # The credential is judged right after it is found, before scopes and everything behind them.
        steps = explanation.steps
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
        from garrison.model.http.request import Request
        from garrison.policy.plan import Match

        found = plans.find(asked.method, asked.path)
        headers = [(b"origin", asked.origin.encode("latin-1", "replace"))] if asked.origin else []
        request = Request(asked.method, asked.path, headers)
        reason = restricted(self.key, request, asked.address, found.plan) if isinstance(found, Match) else ""
        if not reason:
            return None
        text, remedy = _RESTRICTIONS[reason]
        return Step("key", False, text, "credential_restricted", remedy)


_RESTRICTIONS = {
    "key_route": ("the key is not for this route", "Make a key with --route for it"),
    "key_network": ("the key may not come from this address", "Give its address with --from, or a key for its network"),
    "key_origin": ("the key may not be used by pages of this origin", "Give the page's origin with --origin"),
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
    if 0 < record.expires <= now:
        dead = "the key has expired"
    hot = compiled(record, owner, now)
    return Witness(f"key:{record.id}", proved(hot, record.secrets[0]).principal, ("key",), hot, dead)
