"""Who behaves like an attacker: points for refusals, by network, until there are enough to shut it out.

Only addresses gather points. A key, a session or an account never does: whoever knows its name could then shut its
owner out. For the same reason nothing counts that a page of somebody else's can make a visitor's browser send: no
page can add a credential to a header without our leave, so what comes from another site and carries none says nothing
about who sits behind the address.

Behind one address there may be thousands (carrier-grade NAT, an office). Each account that has acted there for a while
raises what it takes to shut it out.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from garrison.limits.suspicion import UNIT, Growth, Score, block_time, faded, raised
from garrison.model.net import address_subject, around
from garrison.model.units import MINUTE
from garrison.stores.near.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison.guard.blocked import Lists
    from garrison.guard.decision import Decision
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Request

__all__ = [
    "MOST_FAILED",
    "MOST_NEIGHBOURS",
    "MOST_SUSPECTS",
    "MOST_TRIED",
    "OWN",
    "SIBLINGS",
    "SPRAYED",
    "Failures",
    "Rules",
    "Suspects",
    "Verdict",
    "what",
    "widened",
]

T = TypeVar("T")

MOST_SUSPECTS: Final = 32_768
"""Networks with points in one generation of the memory; the elder one goes when there are more."""

MOST_NEIGHBOURS: Final = 20
"""Accounts behind an address that count; whoever makes more of them there gains nothing."""

SIBLINGS: Final = 4
"""Blocked /64s of one /56, or /56s of one /48, that shut out the whole: whoever has one has all of them."""

OWN: Final = 3
"""Accounts that one network may fail to log in to before each further one is taken for credential stuffing."""

MOST_TRIED: Final = 32
"""Accounts of a network that are told apart; further ones count as new each time."""

MOST_FAILED: Final = 100_000
"""Accounts whose logins fail within a minute that are told apart."""

SPRAYED: Final = 3
"""How often a failed login counts while passwords are sprayed over many accounts."""

_EVENTS: Final = {
    "login_refused": "login",
    "login_throttled": "login",
    "credential_malformed": "malformed",
    "credential_ambiguous": "malformed",
    "request_malformed": "malformed",
    "route_unknown": "missing",
    "limit_exceeded": "limit",
}
"""What a refusal is by its code."""

_REASONS: Final = {
    "key_unknown": "key",
    "key_unknown_foreign": "key",
    "key_wrong_secret": "key",
    "key_canary": "canary",
    "token_signature": "token",
    "token_algorithm": "token",
    "token_key_unknown": "token",
    "token_bound": "token",
}
"""What it is by its reason, which says more. An expired or revoked credential is nobody's attack."""

_SAFELISTED: Final = frozenset((b"", b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain"))
"""Media types that a page may send anywhere (Fetch section 2.2.2, CORS-safelisted request-header)."""


class Rules(NamedTuple):
    """What a policy says about suspicion; durations in microseconds."""

    weights: Mapping[str, int]
    """Points of each event."""

    half_life: int
    enough: int
    """Points that shut a network out."""

    growth: Growth
    honeypots: tuple[str, ...]
    scanners: tuple[str, ...]
    """What attack tools call themselves, in lower case."""

    lists: Lists
    settled: int
    """How long an account must have acted behind an address before it counts there."""

    spraying: int
    """Accounts whose logins fail within a minute, from which on passwords are sprayed."""


class Verdict(NamedTuple):
    """A network that is to be shut out."""

    network: str
    until: int
    former: int
    """Blocks before this one, times `UNIT`."""

    evidence: dict[str, int]
    """What it did, and how often."""


class _Suspect(NamedTuple):
    score: Score
    did: dict[str, int]
    tried: frozenset[str]
    """Accounts to which it failed to log in."""


class Failures:
    """Accounts whose logins failed in this minute and the last, whoever tried: a botnet has an address for each."""

    def __init__(self) -> None:
        """Begin with none."""
        self._minute = 0
        self._now: set[str] = set()
        self._last = 0

    def note(self, account: str, now: int, most: int) -> int:
        """Count one; gives how many there are in a minute, 0 as long as that is no more than usual.

        Args:
            account: Public name, or the hash of what was typed.
            now: Wall microseconds.
            most: As many as are usual.
        """
        minute = now // MINUTE
        if minute != self._minute:
            self._last = len(self._now) if minute == self._minute + 1 else 0
            self._minute, self._now = minute, set()
        if len(self._now) < MOST_FAILED:
            self._now.add(account)
        count = max(len(self._now), self._last)
        return count if count > most else 0


class Suspects:
    """Points of one process; safe for threads. Nothing here waits."""

    def __init__(self, draw: Callable[[], int]) -> None:
        """Begin with nobody suspected.

        Args:
            draw: Gives random numbers from 0 to 2**32 - 1.
        """
        self.rules: Rules | None = None
        """None: nobody gathers points."""

        self.former: Recent[str, Score] = Recent(MOST_SUSPECTS)
        """How often each network was shut out, as of when."""

        self.sprayed = 0
        """Accounts in a minute over which passwords are sprayed; 0: they are not."""

        self._failures = Failures()
        self._draw = draw
        self._young: dict[str, _Suspect] = {}
        self._elder: dict[str, _Suspect] = {}
        self._neighbours: Recent[str, dict[str, int]] = Recent(2 * MOST_SUSPECTS)
        self._lock = Lock()

    def seen(self, decision: Decision, now: int) -> None:
        """Note that an account acts behind an address."""
        if self.rules is None or not decision.principal.is_authenticated:
            return
        network = address_subject(decision.address)
        with self._lock:
            accounts = self._neighbours.get(network)
            if accounts is None:
                self._neighbours.keep(network, accounts := {})
            if len(accounts) < MOST_NEIGHBOURS:
                accounts.setdefault(decision.principal.id, now)

    def _settled(self, network: str, before: int) -> int:
        """Count the accounts that have acted behind an address since before an instant.

        Whoever makes accounts to be spared must have done so that long before.
        """
        return sum(at <= before for at in (self._neighbours.get(network) or {}).values())

    def note(self, request: Request, decision: Decision, refusal: Refusal, now: int) -> Verdict | None:
        """Count a refusal; gives the network that is to be shut out for it, if it was the last straw."""
        rules = self.rules
        network = address_subject(decision.address)
        if rules is None or not network or rules.lists.allow.find(decision.address):
            return None
        guessed = refusal.subject if _EVENTS.get(refusal.code) == "login" else ""
        if guessed:
            # Whoever sent it: no address is blamed for that.
            self.sprayed = self._failures.note(guessed, now, rules.spraying)
        if _may_be_a_page(request, decision):
            return None
        events = what(request, refusal, rules)
        if not any(rules.weights.get(event, 0) for event in events):
            return None
        with self._lock:
            before = self._young.get(network) or self._elder.pop(network, None)
            did = dict(before.did) if before is not None else {}
            tried = before.tried if before is not None else frozenset()
            if guessed:
                events += ["stuffing"] if len(tried) >= OWN and guessed not in tried else []
                events += ["login"] * (SPRAYED - 1) if self.sprayed else []
                tried = tried | {guessed} if len(tried) < MOST_TRIED else tried
            weight = sum([rules.weights.get(event, 0) for event in events])
            for event in events:
                did[event] = did.get(event, 0) + 1
            score = raised(before.score if before is not None else None, now, weight, rules.half_life)
            enough = rules.enough * (1 + self._settled(network, now - rules.settled)) * UNIT
            if score.parts < enough:
                self._keep(network, _Suspect(score, did, tried))
                return None
            self._young.pop(network, None)
            return self._shut_out(network, did, now, rules)

    def _keep(self, network: str, suspect: _Suspect) -> None:
        if len(self._young) >= MOST_SUSPECTS and network not in self._young:
            self._young, self._elder = {}, self._young
        self._young[network] = suspect

    def _shut_out(self, network: str, did: dict[str, int], now: int, rules: Rules) -> Verdict:
        last = self.former.get(network)
        former = faded(last.parts, now - last.at, rules.growth.forget) if last is not None else 0
        self.former.keep(network, Score(former + UNIT, now))
        return Verdict(network, now + block_time(former, rules.growth, self._draw()), former + UNIT, did)


def what(request: Request, refusal: Refusal, rules: Rules) -> list[str]:
    """Name what a refused request was: nothing, one event, or an event of a known tool."""
    event = _REASONS.get(refusal.reason) or _EVENTS.get(refusal.code, "")
    if event == "missing" and request.path.lower().startswith(rules.honeypots):
        event = "honeypot"
    events = [event] if event else []
    agent = request.fields.get(b"user-agent", b"").lower().decode("latin-1")
    if any(scanner in agent for scanner in rules.scanners):
        events.append("scanner")
    return events


def widened(network: str, blocked: list[str]) -> str:
    """Give the network that is to be shut out instead, where enough of its parts are: a /56 or /48 of IPv6.

    Args:
        network: What is to be shut out.
        blocked: What is shut out already.
    """
    for length, parts in ((56, "/64"), (48, "/56")):
        whole = around(network.partition("/")[0], length)
        inside = {each for each in (*blocked, network) if each.endswith(parts) and _within(each, whole, length)}
        if whole and network.endswith(parts) and len(inside) >= SIBLINGS:
            network = whole
    return network


def _within(network: str, whole: str, length: int) -> bool:
    return around(network.partition("/")[0], length) == whole


def _may_be_a_page(request: Request, decision: Decision) -> bool:
    """Tell whether a page of another site may have made a visitor's browser send this.

    A page sends what Fetch lets it send unasked, and the preflight for all else. Where the browser does not say whence
    (an old one, or a page without TLS that sends no Referer), whatever looks like a browser is believed to be one.
    """
    fields = request.fields
    if b"authorization" in fields or decision.force.key in fields or not _unasked(request):
        return False
    site = fields.get(b"sec-fetch-site")
    if site is not None:
        return site not in {b"same-origin", b"none"}
    sender = request.line(b"origin") or b"/".join(fields.get(b"referer", b"").split(b"/")[:3])
    if sender:
        return not decision.force.served.matches(sender)
    return fields.get(b"user-agent", b"").startswith(b"Mozilla/") and b"accept-language" in fields


def _unasked(request: Request) -> bool:
    """Tell whether a page of another site may have this sent without the service's leave (Fetch section 2.2)."""
    if request.method == "POST":
        kind = request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        return kind in _SAFELISTED
    return request.method in {"GET", "HEAD", "OPTIONS"}
