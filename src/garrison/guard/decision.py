"""The guard's answer to one request, filled in step by step."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison.credentials.protocol import Credential
    from garrison.guard.force import Head, InForce
    from garrison.guard.steps.present import Found
    from garrison.limits import Ask, Verdict
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Header
    from garrison.model.http.response import Response
    from garrison.model.principal import Principal
    from garrison.policy.plan import Plan

__all__ = ["Decision"]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Decision(Struct, eq=False):
    """What was found out about one request. With an `answer` it ends here; without one: go on.

    One object a request; the steps write to it, adapters read it.
    """

    force: InForce
    """The policy in force; the whole request is judged by it, whatever is swapped meanwhile."""

    correlation: str
    """Ties answer, journal and logs together."""

    plan: Plan
    """What the route demands; that of an unknown route until it is found."""

    address: str = ""
    """Client address, after trusted proxies."""

    parameters: Mapping[str, str] = _NOTHING
    """What the path template caught."""

    accepted: tuple[Credential, ...] = ()
    """Who can believe what the route accepts."""

    plain: bool = False
    """Whether scopes are all that is demanded of whom is believed."""

    found: Found = ()
    """What was presented, and who can tell whether it is true."""

    principal: Principal = ANONYMOUS
    wants: Sequence[Ask] = ()
    """Limits of step 8."""

    head: Head | None = None
    """Header lines of its answer, where they are known beforehand."""

    denied: Refusal | None = None
    """What step 7 said; step 8 is taken before it counts, so that a refusal is paid for."""

    asks: Sequence[Ask] = ()
    """Limits that were asked, and their verdicts beside them."""

    verdicts: Sequence[Verdict] = ()
    holds: bool = False
    """Whether a concurrency limit holds a place, to be released when the answer is out."""

    dear: bool = False
    """Whether load makes it cost more of its limits than one unit."""

    refusal: Refusal | None = None
    observed: tuple[Refusal, ...] = ()
    """Refusals that were only observed."""

    answer: Response | None = None
    epoch: int = 0
    """Of the blocks that the address was held against."""

    preflight: tuple[Header, ...] | None = None
    """What a preflight is answered, instead of a grant."""

    def __repr__(self) -> str:
        """Name the request; what it presented is nobody's to read in a log."""
        return f"Decision({self.correlation})"

    def stops(self, refusal: Refusal | None) -> bool:
        """Take a step's result; tell whether the request ends here.

        In observe mode a refusal is kept for the journal and the request goes on.
        """
        if refusal is None:
            return False
        if self.plan.observe:
            self.observed = (*self.observed, refusal)
            return False
        self.refusal = refusal
        return True
