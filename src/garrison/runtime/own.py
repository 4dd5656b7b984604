"""The endpoints of Garrison's own that a policy mounts; they are routes like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.accounts.endpoints import mounts
from garrison.admin.operations import mounts as operated
from garrison.tokens.endpoints import ENDPOINTS as TOKEN_ENDPOINTS

if TYPE_CHECKING:
    from garrison.accounts.service import Service
    from garrison.admin.operations import Watched
    from garrison.model.http.endpoint import Endpoint
    from garrison.policy.schema import Policy
    from garrison.policy.table import Rows
    from garrison.tokens.keys import SigningKeys

__all__ = ["own_endpoints"]


def own_endpoints(
    policy: Policy,
    accounts: Service | None = None,
    signing: SigningKeys | None = None,
    watched: Watched | None = None,
) -> Rows:
    """List them: where each stands, what it is, and the service it works on.

    Args:
        policy: What is mounted, and where.
        accounts: The service of the accounts' endpoints; None to judge a policy without serving it.
        signing: The keys that the JWKS endpoint shows; likewise.
        watched: Whose figures and fitness the operator's endpoints tell; likewise.
    """
    rows: list[tuple[str, Endpoint, Any]] = []
    if policy.accounts is not None:
        rows += [(prefix, endpoint, accounts) for prefix, endpoint in mounts(policy.accounts)]
    if policy.jwt.algorithm != "HS256":
        rows += [("", endpoint, signing) for endpoint in TOKEN_ENDPOINTS]
    rows += [(place, endpoint, watched) for place, endpoint in operated(policy.operations)]
    return tuple(rows)
