"""The guard's answer to one request, filled in step by step."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison.guard.force import Arrival, InForce
    from garrison.guard.steps.present import Found
    from garrison.limits import Ask, Verdict
    from garrison.model.principal import Principal
    from garrison.model.refusal import Refusal
    from garrison.model.request import Header
    from garrison.model.response import Response

__all__ = ["Decision"]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Decision:
    """What was found out about one request. With an `answer` it ends here; without one: go on.

    One object a request; the steps write to it, adapters read it.
    """

    __slots__ = (
        "accepted",
        "address",
        "answer",
        "asks",
        "correlation",
        "force",
        "found",
        "holds",
        "observed",
        "parameters",
        "plain",
        "plan",
        "preflight",
        "principal",
        "refusal",
        "verdicts",
    )

    def __init__(self, force: InForce, correlation: str, known: Arrival | None = None) -> None:
        """Begin with nobody believed and nothing decided.

        Args:
            force: The policy in force; the whole request is judged by it, whatever is swapped meanwhile.
            correlation: Ties answer, journal and logs together.
            known: What the pure steps found for the same request before.
        """
        self.force = force
        self.correlation = correlation
        # Client address after trusted proxies; the route; what its template caught; who can believe what the
        # route accepts; whether scopes are all that it demands of whom is believed.
        self.address, self.plan, self.parameters, self.accepted, self.plain = known or (
            "",
            force.unknown,
            _NOTHING,
            (),
            False,
        )
        self.found: Found = ()
        """What was presented, and who can tell whether it is true."""

        self.principal: Principal = ANONYMOUS
        self.asks: Sequence[Ask] = ()
        """Limits that were asked, and their verdicts beside them."""

        self.verdicts: Sequence[Verdict] = ()
        self.holds = False
        """Whether a concurrency limit holds a place, to be released when the answer is out."""

        self.refusal: Refusal | None = None
        self.observed: tuple[Refusal, ...] = ()
        """Refusals that were only observed."""

        self.answer: Response | None = None
        self.preflight: tuple[Header, ...] | None = None
        """What a preflight is answered, instead of a grant."""

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
