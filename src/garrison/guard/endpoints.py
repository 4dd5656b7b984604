"""Run an endpoint of Garrison's own, after every check has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.guard.content import check_body
from garrison.model.fit import Fitted, fit
from garrison.model.http.endpoint import Call
from garrison.model.http.refusal import Refusal, invalid

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.http.request import Request
    from garrison.model.http.response import Response
    from garrison.policy.plan import Mounted

__all__ = ["run_endpoint"]


async def run_endpoint(
    mounted: Mounted, request: Request, decision: Decision, body: bytes | Refusal, now: int
) -> Response | Refusal:
    """Decode the body if the endpoint wants one, and let it answer.

    Args:
        mounted: The endpoint and the service it works on.
        request: What was asked.
        decision: What was decided: principal, address, parameters.
        body: All of it, or the refusal it earned on the way in.
        now: Wall microseconds.

    Raises:
        StoreError: A store could not answer.
    """
    endpoint, service = mounted
    if type(body) is Refusal:
        return body
    wanted = None if endpoint.bodiless and not body else endpoint.body
    value = None if wanted is None else _fitted(decision, request, body, wanted)
    if type(value) is Refusal:
        return value
    call = Call(
        request=request,
        principal=decision.principal,
        address=decision.address,
        now=now,
        correlation=decision.correlation,
        parameters=decision.parameters,
        body=value,
    )
    return await endpoint.run(call, service)


def _fitted(decision: Decision, request: Request, body: bytes, wanted: type) -> Any | Refusal:
    value = check_body(decision, request, body)
    if type(value) is Refusal:
        return value
    fitted: Fitted[Any] = fit(value, wanted)
    if fitted.misfits:
        return invalid(fitted.misfits)
    return fitted.value
