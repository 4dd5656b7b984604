"""The guard's answer to one request, filled in step by step."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison.credentials.protocol import Credential
    from garrison.guard.force import InForce
    from garrison.guard.steps.present import Found
    from garrison.limits import Ask, Verdict
    from garrison.model.principal import Principal
    from garrison.model.refusal import Refusal
    from garrison.model.request import Header
    from garrison.model.response import Response
    from garrison.policy.plan import Plan

__all__ = ["Decision"]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Decision:
    """What was found out about one request. With an `answer` it ends here; without one: go on.

    One object a request; the steps write to it, adapters read it. What most requests never have stands on the
    class, so that a request does not pay for writing it down.
    """

    address: str = ""
    """Client address, after trusted proxies."""

    plan: Plan
    parameters: Mapping[str, str] = _NOTHING
    """What the path template caught."""

    accepted: tuple[Credential, ...] = ()
    """Who can believe what the route accepts."""

    found: Found = ()
    """What was presented, and who believed it."""

    principal: Principal = ANONYMOUS
    asks: Sequence[Ask] = ()
    """Limits that were asked, and their verdicts beside them."""

    verdicts: Sequence[Verdict] = ()
    holds: bool = False
    """Whether a concurrency limit holds a place, to be released when the answer is out."""

    refusal: Refusal | None = None
    observed: tuple[Refusal, ...] = ()
    """Refusals that were only observed."""

    answer: Response | None = None
    preflight: tuple[Header, ...] | None = None
    """What a preflight is answered, instead of a grant."""

    def __init__(self, force: InForce, correlation: str) -> None:
        """Begin with nobody believed and nothing decided.

        Args:
            force: The policy in force; the whole request is judged by it, whatever is swapped meanwhile.
            correlation: Ties answer, journal and logs together.
        """
        self.force = force
        self.correlation = correlation
        self.plan = force.unknown
        self.observe = force.observe

    def stops(self, refusal: Refusal | None) -> bool:
        """Take a step's result; tell whether the request ends here.

        In observe mode a refusal is kept for the journal and the request goes on.
        """
        if refusal is None:
            return False
        if self.observe:
            self.observed = (*self.observed, refusal)
            return False
        self.refusal = refusal
        return True
