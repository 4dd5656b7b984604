"""Password work that every login pays alike, done where it starves nobody.

Accounts never hash in a coroutine: the work goes to a `Hasher`, which runs it in a bounded pool or says that
the pool is full. An account that does not exist costs what an existing one costs, also while hashes of several
costs are stored: every failed login pays for each cost once.

Sources: OWASP Authentication (equal answers, equal time); NIST SP 800-63B-4 section 3.1.1.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from garrison.crypto.password import Cost, Passwords
from garrison.errors import UsageError
from garrison.model.http.refusal import Refusal
from garrison.stores.protocols import Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Records

__all__ = ["COSTS", "Checked", "CostUsed", "Hasher", "Hashing", "cost_name"]

T = TypeVar("T")

_COST = re.compile(r"m=([1-9][0-9]{0,6}),t=([1-9][0-9]?),p=([1-9])", re.ASCII)


class Hasher(Protocol):
    """Runs password work in a bounded pool; `garrison.runtime.hashpool` has an awaiting and a blocking form."""

    def run(self, work: Callable[[], T], *, known: bool = False) -> Awaitable[T | Refusal]:
        """Do the work, or refuse with `busy` when too much is waiting already.

        Args:
            work: Computes for some 25 ms; touches nothing but its own values.
            known: Comes from a device that its account knows: the last part of the queue is kept for those, so
                that a flood of strangers does not shut the owners out.
        """
        ...


class CostUsed(Record, frozen=True, kw_only=True):
    """A cost that some hash was made at."""

    id: str
    """`m=19456,t=2,p=1`."""


COSTS = Kind(name="password_cost", struct=CostUsed)


class Checked(NamedTuple):
    """What became of one guess."""

    right: bool
    renewed: str = ""
    """The hash to store instead, when the stored one had another cost or an older pepper."""


class Hashing:
    """Hashes and checks passwords at one cost, through a `Hasher`."""

    __slots__ = ("_announced", "_current", "_hasher", "_name", "_randomness", "_ring")

    def __init__(self, ring: KeyRing, hasher: Hasher, randomness: Randomness, cost: Cost | None = None) -> None:
        """Put it together.

        Args:
            ring: Holds the peppers.
            hasher: Where the work is done.
            randomness: Gives salts and nonces; called from the hasher's threads.
            cost: Of new hashes.
        """
        self._ring = ring
        self._hasher = hasher
        self._randomness = randomness
        cost = cost or Cost()
        self._current = Passwords(ring, cost)
        self._name = f"m={cost.memory},t={cost.passes},p={cost.lanes}"
        self._announced = False

    async def hash(self, password: str, owner: str) -> str | Refusal:
        """Hash a password.

        Args:
            password: As typed; `garrison.crypto.password.normal_form` takes it.
            owner: The id of its account; the hash is good for no other.
        """
        return await self._hasher.run(lambda: self._current.hash(password, self._randomness, owner))

    async def check(
        self, password: str, stored: str | None, owner: str, others: Sequence[str] = (), *, known: bool = False
    ) -> Checked | Refusal:
        """Tell whether a password is right, with the same work whether there is an account or not.

        Args:
            password: As typed.
            stored: The stored hash; None for an account that does not exist or may not log in.
            owner: The id of the account.
            others: Costs at which further hashes are stored (`in_use`).
            known: As in `Hasher.run`.

        Raises:
            SecretError: The ring lacks the root of the pepper.
        """
        return await self._hasher.run(lambda: self._check(password, stored, owner, others), known=known)

    def _check(self, password: str, stored: str | None, owner: str, others: Sequence[str]) -> Checked:
        if self._current.verify(password, stored, owner) and stored is not None:
            return Checked(right=True, renewed=self._renewed(password, stored, owner))
        # A wrong guess pays for every cost there is, else its duration would tell which hash it met.
        paid = cost_name(stored or "") or self._name
        for name in {self._name, *others} - {paid}:
            Passwords(self._ring, _cost(name)).verify(password, None)
        return Checked(right=False)

    def _renewed(self, password: str, stored: str, owner: str) -> str:
        if self._current.needs_rehash(stored):
            return self._current.hash(password, self._randomness, owner)
        sealed = self.resealed(stored, owner)
        return "" if sealed == stored else sealed

    def resealed(self, stored: str, owner: str) -> str:
        """Seal a stored hash under the current pepper; the same text when it is. No password, no work.

        Raises:
            SecretError: Its pepper is gone, or it was tampered with.
        """
        return self._current.repepper(stored, self._randomness, owner)

    async def announce(self, records: Records) -> None:
        """Note in the store, once per process, at which cost new hashes are made."""
        if not self._announced:
            if await records.get(COSTS, self._name) is None:
                # Another process may have been quicker: then it is noted all the same.
                await records.commit([Put(COSTS, CostUsed(id=self._name))])
            self._announced = True

    async def others(self, records: Records, users: Kind) -> tuple[str, ...]:
        """List the costs besides the current one at which some account's hash is still stored.

        Args:
            records: The store.
            users: The kind of accounts; has an index `cost`.
        """
        noted = await records.find(COSTS, "", "")
        former = [each.id for each in noted if each.id != self._name]
        return tuple([name for name in former if await records.find(users, "cost", name, "", 1)])


def cost_name(stored: str) -> str:
    """Read the cost out of a stored hash: `m=19456,t=2,p=1`; empty when it is none."""
    parts = stored.split("$")
    return parts[2] if len(parts) > 2 and _COST.fullmatch(parts[2]) else ""


def _cost(name: str) -> Cost:
    found = _COST.fullmatch(name)
    if found is None:
        msg = f"{name[:40]!r} is not a cost of argon2"
        raise UsageError(msg)
    memory, passes, lanes = map(int, found.groups())
    return Cost(memory=memory, passes=passes, lanes=lanes)
