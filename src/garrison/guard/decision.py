"""The guard's answer to one request, filled in step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from garrison.credentials.protocol import Credential
    from garrison.guard.force import InForce
    from garrison.limits import Ask, Verdict
    from garrison.model.principal import Principal
    from garrison.model.refusal import Refusal
    from garrison.model.request import Header
    from garrison.model.response import Response
    from garrison.policy.plan import Plan

__all__ = ["Decision"]


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
        "observe",
        "observed",
        "parameters",
        "plan",
        "preflight",
        "principal",
        "refusal",
        "verdicts",
    )

    def __init__(self, force: InForce, correlation: str) -> None:
        """Begin with nobody believed and nothing decided.

        Args:
            force: The policy in force; the whole request is judged by it, whatever is swapped meanwhile.
            correlation: Ties answer, journal and logs together.
        """
        self.force = force
        self.correlation = correlation
        self.observe = force.observe
        self.address = ""
        self.principal: Principal = ANONYMOUS
        self.plan: Plan = force.plans.unknown
        self.parameters: dict[str, str] = {}
        self.accepted: tuple[Credential, ...] = ()
        self.asks: list[Ask] = []
        self.verdicts: list[Verdict] = []
        self.refusal: Refusal | None = None
        self.observed: tuple[Refusal, ...] = ()
        self.answer: Response | None = None
        self.preflight: tuple[Header, ...] | None = None

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
