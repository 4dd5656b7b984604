"""Every error Garrison raises on purpose, each with the person who must act.

A denied request is a value (`garrison.model.http.refusal.Refusal`); only faults and misuse are raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "GarrisonError",
    "OwnershipError",
    "PolicyError",
    "Problem",
    "SecretError",
    "StoreError",
    "SuspendedError",
    "TokenError",
    "UnreadableError",
    "UsageError",
]


class Problem(NamedTuple):
    """A mistake in a policy, with its place and what to write instead."""

    rule: str
    """Stable number of the rule that was broken, `GP017`."""

    path: str
    """Where in the policy: `cors.web.origins[2]`, dictionary keys included."""

    line: int
    """Line of the file, counted from 1; 0 when the policy did not come from a file."""

    text: str
    """What is wrong."""

    remedy: str
    """What to write instead."""

    severity: str = "error"
    """`error` refuses the policy; `warning` is shown and lets it pass."""

    def __str__(self) -> str:
        """Write the problem as one line, the way the command line shows it."""
        place = f"line {self.line} " if self.line else ""
        return f"{self.rule} {place}{self.path}: {self.text}. {self.remedy}"


class GarrisonError(Exception):
    """Everything that Garrison raises on purpose."""

    code: ClassVar[str] = "garrison"
    """Stable and machine-readable; the text may change, the code may not."""


class PolicyError(GarrisonError):
    """The policy is wrong. For the operator; raised at start or reload, never while serving.

    Carries every problem found: one run is enough to mend the file.
    """

    code = "policy"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep every problem; the text has one line for each."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class StoreError(GarrisonError):
    """A store could not answer. For the person on call; the driver's error is its `__cause__`."""

    code = "store"


class UnreadableError(StoreError):
    """One stored record is not as its kind has it; the others can be read. For the person on call."""

    def __init__(self, kind: str, key: str, before: Sequence[Any] = ()) -> None:
        """Keep which one.

        Args:
            kind: Name of its kind.
            key: Its key, as the store has it.
            before: Records that were read before it, where many were asked for.
        """
        super().__init__(f"the record {key!r} of {kind} cannot be read")
        self.key = key
        self.before = tuple(before)


class TokenError(GarrisonError):
    """A token was refused. For the code that verifies; the reason is for the journal, never for the sender."""

    code = "token"

    def __init__(self, reason: str) -> None:
        """Keep the stable reason, one of `garrison.tokens.REASONS`."""
        super().__init__(reason)
        self.reason = reason


class SecretError(GarrisonError):
    """A secret is missing, weak or readable by others. For the operator; raised at start."""

    code = "secret"


class UsageError(GarrisonError):
    """A call that can never be right, such as a negative cost. For the programmer who wrote it."""

    code = "usage"


class SuspendedError(GarrisonError):
    """A coroutine that was to be driven without a loop waited for something. For the programmer."""

    code = "suspended"


class OwnershipError(GarrisonError):
    """The thing asked for belongs to somebody else; adapters answer it exactly like a missing one.

    Raised by `Principal.must_own`. RFC 9110 section 15.5.5 allows 404 to hide that a resource exists.
    """

    code = "not_found"
