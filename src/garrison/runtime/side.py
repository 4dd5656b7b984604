"""Everything that serves one way of waiting: awaited in a loop, or driven in threads and on the command line.

Both sides share stores, counters, news and keys; what a credential remembers is remembered by each side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.credentials.api_key import ApiKeys
from garrison.credentials.key_service import KeyService
from garrison.guard.force import InForce
from garrison.guard.guard import Guard
from garrison.model.net import Networks
from garrison.policy.plan import compile_policy

if TYPE_CHECKING:
    from garrison.credentials.protocol import Credential
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime
    from garrison.stores.protocols import Face

__all__ = ["Side"]


class Side:
    """Guard, credentials and services over one face of the store."""

    def __init__(self, runtime: Runtime, face: Face, policy: Policy) -> None:
        """Put a side together.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
        """
        self.face = face
        self.keys = KeyService(face, runtime.ring, runtime.news, policy.keys, runtime.randomness)
        self.api_keys = ApiKeys(face, runtime.ring, runtime.news, policy.keys, policy.service)
        self._runtime = runtime
        self.guard = Guard(
            self.force(policy), runtime.counters, runtime.clock, runtime.correlate, runtime.record
        )

    def force(self, policy: Policy) -> InForce:
        """Compile a policy for this side; nothing changes before its result is assigned.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
        """
        plans = compile_policy(policy, endpoints=(), files=self._runtime.read_file)
        credentials: dict[str, Credential] = {"key": self.api_keys}
        return InForce(plans, credentials, Networks.parse(policy.forwarded.peers))
