"""Read the policy that a command is about, with every problem in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from garrison.errors import PolicyError, UsageError
from garrison.policy.lint import lint
from garrison.policy.load import files_beside, read

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.policy.load import Reading
    from garrison.policy.plan import Plans
    from garrison.policy.schema import Policy
    from garrison.policy.table import Rows

__all__ = ["compiled", "environment", "read_policy", "reading", "rows_of"]


def environment() -> str:
    """Name the environment: `GARRISON_ENV`, `production` when it is not set."""
    return os.environ.get("GARRISON_ENV", "production")


def reading(path: Path) -> Reading:
    """Read a policy and keep what is wrong with it, its own endpoints counted among the routes; ordered by line.

    Raises:
        UsageError: There is no such file, or it cannot be read.
    """
    found = _read(path)
    problems = found.problems
    if found.policy is not None:
        linted = lint(found.policy, rows_of(found.policy), files_beside(path))
        problems = tuple(found.places.put(problem) for problem in linted)
    return found._replace(problems=tuple(sorted(problems, key=lambda problem: (problem.line, problem.rule))))


def _read(path: Path) -> Reading:
    try:
        return read(path, environment())
    except FileNotFoundError:
        msg = f"there is no {path}; write one with: garrison init --app MODULE:APP, or name it with --policy FILE"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise UsageError(msg) from None


def rows_of(policy: Policy) -> Rows:
    """List the endpoints of Garrison's own that a policy mounts; they count as routes."""
    from garrison.runtime.own import own_endpoints

    return own_endpoints(policy)


def compiled(path: Path) -> Plans:
    """Compile a policy without opening what it stores.

    Raises:
        PolicyError: It is wrong; carries every problem.
        UsageError: There is no such file, or it cannot be read.
    """
    from garrison.policy.plan import compile_policy

    policy = read_policy(path)
    return compile_policy(policy, endpoints=rows_of(policy), files=files_beside(path))


def read_policy(path: Path) -> Policy:
    """Read a policy that must be right.

    Raises:
        PolicyError: It is not; carries every problem.
        UsageError: There is no such file, or it cannot be read.
    """
    found = reading(path)
    if found.policy is None or any(problem.severity == "error" for problem in found.problems):
        raise PolicyError([problem for problem in found.problems if problem.severity == "error"])
    return found.policy
