"""The one place where a policy becomes a running guard: stores, credentials, endpoints, jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from garrison.policy.load import load
from garrison.policy.plan import sound
from garrison.policy.schema import Policy
from garrison.runtime.process.clock import SystemClock
from garrison.runtime.runtime import Runtime

if TYPE_CHECKING:
    from garrison.credentials.authenticate import Authenticate
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness

__all__ = ["Runtime", "compose", "environment"]


def compose(
    policy: Policy | Path | str,
    *,
    authenticate: Authenticate | None = None,
    clock: Clock | None = None,
    randomness: Randomness = os.urandom,
) -> Runtime:
    """Put a policy to work.

    Args:
        policy: A policy, or the path of one; a path is looked at again while serving.
        authenticate: The application's own `authenticate(request) -> Principal | None`.
        clock: Another clock than the machine's, for tests.
        randomness: Another source than the machine's, for tests.

    Raises:
        PolicyError: The policy is wrong; carries every problem.
        SecretError: A secret it refers to is missing, weak or readable by others.
        StoreError: A store could not be opened.
    """
    path = None if isinstance(policy, Policy) else Path(policy).absolute()
    read = sound(policy) if isinstance(policy, Policy) else load(Path(policy), environment())
    return Runtime(read, path, clock or SystemClock(), randomness, authenticate)


def environment() -> str:
    """Name the environment: `GARRISON_ENV`, `production` when it is not set.

    Whoever forgets to say where a service runs must not get the relaxed answers of a development machine.
    """
    return os.environ.get("GARRISON_ENV", "production")
