"""Guesses and registrations: counted in the store before anything is hashed, so that no burst and no restart helps.

A try takes its place in every lane it runs in before anything is hashed; a right password gives the places back.
Tries in flight therefore count, and a hundred parallel ones get no further than five in a row. Lanes live in
records with versions: of two processes that read the same log, one wins and the other reads again.

Strangers share one lane per account, wherever they come from, and cannot fill the lane of a device that its
account knows: they slow each other down and never lock the owner out. Names without an account have the same
lanes, so that a 429 does not tell which names exist.

Sources: OWASP Authentication (account lockout, known devices); NIST SP 800-63B-4 section 3.2.2; ASVS 5.0 6.3.1.
"""

from __future__ import annotations

from array import array
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from garrison.limits import Ask
from garrison.limits.headers import limit_refusal
from garrison.limits.log import spend
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.units import HOUR, SECOND
from garrison.stores.protocols import Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.limits import Limit, Verdict
    from garrison.stores.protocols import Records

__all__ = ["LANES", "LINGER", "ROUNDS", "Held", "Lane", "Tries", "forget", "give_back", "take_place"]

ROUNDS = 64
"""Attempts at one commit while others change the same lanes. A lane that holds 20 tries can be won by 20 others
before it is full; beyond that, somebody gives back as fast as we try, and the caller is told to come again."""


LINGER = HOUR
"""Microseconds an empty lane is kept: longer than any request holds a version of it."""


class Tries(Record, frozen=True, kw_only=True):
    """One lane: the instants of the tries that still count."""

    id: str
    """What is counted, as a keyed hash: a reader of the store learns neither names nor addresses."""

    log: tuple[int, ...]
    """Wall microseconds, oldest first."""

    until: int
    """When the lane may be cleaned up, wall microseconds."""


LANES = Kind(name="login_lane", struct=Tries, expires="until")


class Lane(NamedTuple):
    """One count that a try runs in."""

    id: str
    limit: Limit
    """An exact one: `at most 5 in 15m`."""

    name: str
    """For the journal: `account`, `address`, `device`, `registrations`."""

    told: bool = False
    """When full, the limit is told like a route's (`limit_exceeded`): there is nothing to guess about it."""

    silent: bool = False
    """When full, the guess is not looked at but answered like a wrong one: a 429 would tell something."""


class Held(NamedTuple):
    """The places one try has taken."""

    at: int
    """When, wall microseconds."""

    lanes: tuple[Lane, ...]
    failures: int
    """Tries that counted before this one, in the fullest lane."""

    silenced: bool = False
    """Whether the guess must not be looked at."""


async def take_place(records: Records, lanes: Sequence[Lane], now: int) -> Held | Refusal:
    """Take a place in every lane, or in none.

    Args:
        records: The store.
        lanes: What the try counts for; never two of one id.
        now: Wall microseconds.

    Returns:
        The places; or `login_throttled`, or `limit_exceeded`, with the seconds after which there is one; or `busy`
        when others kept changing the lanes.
    """
    for _ in range(ROUNDS):
        stored = [await records.get(LANES, lane.id) for lane in lanes]
        spent = [_spend(lane, tries, now) for lane, tries in zip(lanes, stored, strict=True)]
        refusal = _refusal(lanes, spent)
        if refusal is not None:
            await _settle(records, spent)
            return refusal
        steps = [Put(LANES, each.tries) for each in spent if each.changed]
        if (await records.commit(steps)).done:
            return _held(lanes, spent, now)
    return refuse("busy", "login_lanes_contended", headers=((b"retry-after", b"1"),))


async def give_back(records: Records, held: Held) -> None:
    """Give the places back: the password was right, or nobody looked at it.

    A place that cannot be given back stops counting by itself when the window has passed.
    """
    for _ in range(ROUNDS):
        steps: list[Put] = []
        for lane in held.lanes:
            tries: Tries | None = await records.get(LANES, lane.id)
            if tries is not None and held.at in tries.log:
                steps.append(_without(tries, held.at))
        if not steps or (await records.commit(steps)).done:
            return


async def forget(records: Records, lane: Lane) -> None:
    """Empty a lane that nobody but the owner runs in: the password was right."""
    tries: Tries | None = await records.get(LANES, lane.id)
    if tries is not None:
        # Whoever changes the lane at this moment is the same device: then its tries stay counted.
        await records.commit([Put(LANES, _with(tries, ()))])


class _Spent(NamedTuple):
    """One lane with the try in it, or the reason why it is not."""

    tries: Tries
    verdict: Verdict
    changed: bool


def _spend(lane: Lane, tries: Tries | None, now: int) -> _Spent:
    log = array("q", tries.log if tries else ())
    state, verdict = spend(log.tobytes(), now, lane.limit, 1)
    if state is not None:
        log = array("q", state)
    until = (log[-1] if log else now) + lane.limit.window + LINGER
    after = Tries(id=lane.id, log=tuple(log), until=until, version=tries.version if tries else 0)
    return _Spent(after, verdict, state is not None)


async def _settle(records: Records, spent: Sequence[_Spent]) -> None:
    """Keep what a refusal changed: after a clock that stepped back, tries from the future count from now on."""
    steps = [Put(LANES, each.tries) for each in spent if each.changed and not each.verdict.allowed]
    if steps:
        await records.commit(steps)


def _refusal(lanes: Sequence[Lane], spent: Sequence[_Spent]) -> Refusal | None:
    full = [
        (each.verdict.retry_after, lane, each.verdict)
        for lane, each in zip(lanes, spent, strict=True)
        if not each.verdict.allowed and not lane.silent
    ]
    if not full:
        return None
    wait, lane, verdict = max(full, key=itemgetter(0))
    if lane.told:
        return limit_refusal((Ask(lane.id, lane.limit),), (verdict,))
    seconds = str(-(-wait // SECOND)).encode()
    return refuse("login_throttled", f"lane_full:{lane.name}", headers=((b"retry-after", seconds),))


def _held(lanes: Sequence[Lane], spent: Sequence[_Spent], now: int) -> Held:
    taken = tuple(lane for lane, each in zip(lanes, spent, strict=True) if each.verdict.allowed)
    failures = max((len(each.tries.log) - 1 for each in spent if each.verdict.allowed), default=0)
    return Held(now, taken, failures, silenced=len(taken) < len(lanes))


def _without(tries: Tries, at: int) -> Put:
    place = tries.log.index(at)
    return Put(LANES, _with(tries, tries.log[:place] + tries.log[place + 1 :]))


def _with(tries: Tries, log: tuple[int, ...]) -> Tries:
    # An empty lane stays until it expires: versions must not begin anew while somebody holds an old one.
    return Tries(id=tries.id, log=log, until=tries.until, version=tries.version)
