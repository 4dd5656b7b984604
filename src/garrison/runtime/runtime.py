"""A policy at work: what is opened once for a process, whichever adapters stand before it."""

from __future__ import annotations

import atexit
import logging
import os
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from garrison.cors.tally import Tally
from garrison.crypto.ring import KeyRing
from garrison.errors import PolicyError, StoreError
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.model.units import DAY, MINUTE, SECOND, duration
from garrison.model.version import VERSION
from garrison.policy.diff import diff, forbidden_live
from garrison.policy.load import load
from garrison.policy.plan import sound
from garrison.policy.schema import Accounts
from garrison.runtime.abuse import AbuseWatch
from garrison.runtime.counting import Counting
from garrison.runtime.figures import figures
from garrison.runtime.hashpool import HashPool
from garrison.runtime.opened import open_store
from garrison.runtime.process.correlate import Correlate
from garrison.runtime.process.jobs import Job, Jobs
from garrison.runtime.process.live import LOOK, Watch
from garrison.runtime.process.recording import FLUSH, Recording
from garrison.runtime.process.secrets import root_keys
from garrison.runtime.process.workers import ANNOUNCE, announce, leave
from garrison.runtime.side import Side
from garrison.runtime.waiting import AWAITED, DRIVEN
from garrison.stores.near.breaker import PROBE
from garrison.stores.news import POLL, News
from garrison.tokens.revocations import Revocations
from garrison.tokens.verifier import AHEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from garrison.credentials.authenticate import Authenticate
    from garrison.guard.guard import Guard
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.model.metric import Metric
    from garrison.policy.diff import Change
    from garrison.policy.schema import Policy

__all__ = ["Runtime"]

_log = logging.getLogger("garrison.runtime")

_TEND = 5 * SECOND
"""Microseconds between two writes of what keys were used for."""


class Runtime:
    """Stores, credentials, guard and jobs of one policy in one process."""

    def __init__(
        self,
        policy: Policy,
        path: Path | None,
        clock: Clock,
        randomness: Randomness,
        authenticate: Authenticate | None = None,
    ) -> None:
        """Open everything; use `garrison.runtime.compose.compose`.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
            StoreError: A store could not be opened.
        """
        self.policy = policy
        self.path = path
        self.clock = clock
        self.randomness = randomness
        self.authenticate = authenticate
        self.correlate = Correlate(randomness)
        self.ring = KeyRing(root_keys(policy, randomness))
        self.tallies: dict[str, Tally] = {}
        """Pages refused by this process since it began, and the origins seen last, by the name of the CORS policy."""

        self._in_memory = policy.stores.records == "memory:"
        self.news = News(alone=self._in_memory)
        self.abuse = AbuseWatch(self.news, randomness)
        self.record = Recording(policy.audit.refusals_per_minute, self.abuse.note)
        self.abuse.alarm = self.record.add
        self.revoked = Revocations(self.news, _longest(policy))
        self.counting = Counting(policy, clock, self.ring, randomness)
        self.store = open_store(policy, clock, self.ring)
        accounts = policy.accounts or Accounts()
        self.hash_pool = HashPool(duration(accounts.hash_wait), clock.monotonic, accounts.hash_threads)
        self._lock = RLock()
        # Not the lock above: whoever stops holds that one and waits for the thread that may be exchanging policies.
        self._exchanging = RLock()
        self._flushing = RLock()
        self._jobs = Jobs(self._work(), clock)
        self.serving = False
        """Whether this process has started; a forked child has not."""

        self.draining = False
        """Whether it ends soon; what readiness tells a load balancer."""

        self._closed = False
        forked = WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (method := forked()) and method())
        self._watch = Watch(path, self.reload) if path is not None else None
        self._prepare()

    def _prepare(self) -> None:
        """Read what was revoked before, and see that there is a key to sign with; the policy is compiled here."""
        face = self.driven_side.face
        drive(self.revoked.load(face, self.clock.wall()))
        drive(self.abuse.load(face))
        self.abuse.follow(self.policy, self.driven.force.lists)
        self._give_keys([self.driven_side])

    def _give_keys(self, sides: Sequence[Side]) -> None:
        """See that there is a key to sign with, and that every side knows it; only a driven side can make one."""
        signing = [side.trust.signing for side in sides if side.trust.signing is not None]
        for keys in signing[:1]:
            drive(keys.advance(self.clock.wall(), self.randomness))
        for keys in signing:
            drive(keys.load())

    @cached_property
    def awaited_side(self) -> Side:
        """What ASGI adapters use."""
        side = Side(self, self.store.awaited(), AWAITED, self.policy)
        if side.trust.signing is not None:
            drive(side.trust.signing.load())
        return side

    @cached_property
    def driven_side(self) -> Side:
        """What WSGI adapters, jobs and the command line use."""
        return Side(self, self.store.driven(), DRIVEN, self.policy)

    @property
    def awaited(self) -> Guard:
        """The guard for a loop."""
        return self.awaited_side.guard

    @property
    def driven(self) -> Guard:
        """The guard for threads."""
        return self.driven_side.guard

    def read_file(self, name: str) -> bytes:
        """Read a file that the policy names, relative to the policy."""
        base = self.path.parent if self.path is not None else Path()
        return (base / name).read_bytes()

    def tally(self, name: str) -> Tally:
        """Give the counters of a CORS policy; both sides count together, and a new policy goes on counting."""
        return self.tallies.setdefault(name, Tally())

    def start(self) -> None:
        """Serve from now on in this process; called by adapters with every request, does something once.

        Raises:
            PolicyError: Another worker serves the same records, and counters in memory would not add up.
        """
        if self.serving:
            return
        with self._lock:
            if self.serving:
                return
            self._announce()
            self._poll()
            self._jobs.start()
            atexit.register(self.close)
            self.serving = True

    def _forked(self) -> None:
        self.serving = False
        self.correlate.restart()

    def stop(self) -> None:
        """End the jobs and write what is pending; the stores stay open, and `start` begins anew.

        An application whose lifespan ends may begin another one, as tests do with each client.
        """
        with self._lock:
            if self._closed:
                return
            self._jobs.close()
            if self.serving:
                drive(leave(self.driven_side.face))
            self.serving = False

    def close(self) -> None:
        """Stop, and let go of the stores; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self.stop()
            self._closed = True
            atexit.unregister(self.close)
            self.hash_pool.close()
            self.counting.close()
            self.store.close()

    def health(self) -> dict[str, Any]:
        """Tell versions, the state of the stores and which pages were refused; for an administrator's eyes."""
        return {
            "version": VERSION,
            "policy": self.driven.force.plans.version[:12],
            "environment": self.policy.environment,
            "stores": dict(self.stores()),
            "cors": {name: _refusals(tally) for name, tally in self.tallies.items()},
        }

    def stores(self) -> Mapping[str, str]:
        """Tell of every store `ok`, or `failed` and what becomes of requests meanwhile; asks nobody, so never waits."""
        # What is remembered may be used for as long as the news are fresh; then every request that needs a record
        # is answered 503.
        records = "ok" if self.news.fresh(self.clock.monotonic()) else "failed: closed"
        return {"records": records, "counters": self.counting.state}

    def metrics(self) -> Iterator[Metric]:
        """Tell every figure of this process."""
        return figures(self)

    def reload(self) -> tuple[Change, ...]:
        """Read the policy file again and put it in force.

        Raises:
            PolicyError: It is wrong, takes a restart, or weakens what must not be weakened live; the old one
                stays in force.
            OSError: It cannot be read; likewise.
        """
        if self.path is None:
            return ()
        try:
            return self._exchange(load(self.path, self.policy.environment))
        except PolicyError as error:
            told = _told([f"{problem.rule} {problem.path}".rstrip() for problem in error.problems])
            self.record.add(self._event("policy_refused", "refused", error.problems[0].rule, problems=told))
            raise

    def replace(self, policy: Policy) -> tuple[Change, ...]:
        """Put another policy in force, whole or not at all.

        Returns:
            What changed.

        Raises:
            PolicyError: It is wrong, takes a restart, or weakens what must not be weakened live; the old one
                stays in force.
            StoreError: There is no key to sign with, and none could be made; likewise.
        """
        return self._exchange(sound(policy))

    def _exchange(self, policy: Policy) -> tuple[Change, ...]:
        with self._exchanging:
            changes = diff(self.policy, policy)
            if problems := forbidden_live(self.policy, policy):
                raise PolicyError(problems)
            if changes:
                old = self._swap(policy)
                self.record.add(self._event("policy_changed", "success", changes=_told(map(str, changes))))
                self._let_go(old)
            return changes

    def _swap(self, policy: Policy) -> list[Side]:
        """Build every side anew, then exchange what the guards judge by: one reference each. Gives the old ones."""
        present = [name for name in ("driven_side", "awaited_side") if name in self.__dict__]
        old: list[Side] = [self.__dict__[name] for name in present]
        new = [Side(self, side.face, side.waiting, policy) for side in old]
        # The last thing that can fail; a side that was exchanged alone would judge by another policy than the other.
        self._give_keys(new)
        for name, before, after in zip(present, old, new, strict=True):
            before.guard.force = after.guard.force
            after.guard = before.guard
            self.__dict__[name] = after
        self.policy = policy
        self._hold_to(policy)
        return old

    def _let_go(self, sides: Sequence[Side]) -> None:
        """Write what the sides of an old policy still hold; the new one is in force, whatever the store says."""
        for side in sides:
            try:
                side.waiting.run(side.api_keys.close(self.clock.wall()))
            except StoreError as error:
                _log.warning("uses of keys counted before the policy changed are lost: %s", error)

    def _hold_to(self, policy: Policy) -> None:
        """Give what outlives a policy the figures of the new one."""
        accounts = policy.accounts or Accounts()
        self.revoked.lengthen(_longest(policy))
        self.abuse.follow(policy, self.driven.force.lists)
        self.hash_pool.change(duration(accounts.hash_wait), accounts.hash_threads)
        self.record.change(policy.audit.refusals_per_minute)

    def _event(self, code: str, outcome: str, reason: str = "", **details: str) -> Event:
        return Event(
            code=code,
            at=self.clock.wall(),
            actor="operator:policy",
            subject=str(self.path or "policy"),
            outcome=outcome,
            severity="warning",
            reason=reason,
            details=dict(details),
        )

    def _work(self) -> tuple[Job, ...]:
        return (
            Job("news", POLL, self._poll),
            Job("counters", PROBE, self.counting.heal),
            Job("policy", LOOK, self.look),
            Job("journal", FLUSH, self.flush),
            Job("keys", _TEND, self._tend),
            Job("workers", ANNOUNCE, self._announce),
            Job("signing", MINUTE, self._advance),
            Job("sweep", MINUTE, self._sweep),
            Job("end", 0, self._end, at_end=True),
        )

    def _poll(self) -> None:
        face = self.driven_side.face
        drive(self.news.poll(face, self.clock.wall(), self.clock.monotonic()))
        drive(self.abuse.store(face))

    def look(self) -> None:
        """Put the policy file in force if it changed; on any fault the old one stays."""
        if self._watch is not None:
            self._watch.look()

    def flush(self, *, last: bool = False) -> None:
        """Write every refusal noted so far to the journal; returns when it is there.

        Args:
            last: Also write the counts of a minute that has not ended.

        Raises:
            StoreError: The journal cannot be written; nothing is lost.
        """
        with self._flushing:
            drive(self.record.flush(self.driven_side.face, self.clock.wall(), last=last))

    def _tend(self) -> None:
        for side in self._sides():
            side.waiting.run(side.api_keys.tend(self.clock.wall(), self.clock.monotonic()))

    def _announce(self) -> None:
        # Where counters are in memory, nobody else may serve the same records.
        alone = self.policy.stores.counters == "memory:" and not self._in_memory
        drive(announce(self.driven_side.face, self.clock.wall(), alone=alone))

    def _advance(self) -> None:
        signing = self.driven_side.trust.signing
        if signing is not None:
            drive(signing.advance(self.clock.wall(), self.randomness))

    def _sweep(self) -> None:
        face, now = self.driven_side.face, self.clock.wall()
        drive(face.sweep())
        drive(face.trim(now - duration(self.policy.audit.keep)))

    def _end(self) -> None:
        now = self.clock.wall()
        for side in self._sides():
            side.waiting.run(side.api_keys.close(now))
        self.flush(last=True)

    def _sides(self) -> list[Side]:
        return [self.__dict__[name] for name in ("driven_side", "awaited_side") if name in self.__dict__]


def _refusals(tally: Tally) -> dict[str, Any]:
    counts = {reason: count for reason, count in tally.counts.items() if count}
    return {"refused": counts, "recent": [each._asdict() for each in tally.recent]}


def _longest(policy: Policy) -> int:
    """Tell for how long the end of a session or a subject is remembered: no token of theirs may outlive that."""
    jwt = policy.jwt
    # The age of a foreign token is told from its `iat`, which its issuer's clock may have put ahead of ours.
    foreign = [duration(issuer.max_age) + AHEAD for issuer in jwt.issuers.values()]
    return max(DAY, *(life + duration(jwt.leeway) for life in (duration(jwt.access), *foreign)))


def _told(lines: Iterable[str]) -> str:
    """Put changes or problems into one text for the journal; the first twenty tell enough."""
    return "; ".join(islice(lines, 20))[:2_000]
