"""What a sound CORS policy still deserves to be told, seen together with the service it stands before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.cors.names import SAFELISTED_METHODS
from garrison.cors.origin import Mistake, is_loopback
from garrison.cors.pattern import ANY
from garrison.cors.rules import CorsPolicy, patterns
from garrison.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Surroundings", "advise"]


class Surroundings(NamedTuple):
    """The facts about a service that its CORS policy should fit."""

    production: bool = False
    """Whether real users are served."""

    served: tuple[str, ...] = ()
    """Origins of the service itself."""

    methods: frozenset[str] = frozenset()
    """Methods of the routes that use the policy; empty: not known."""

    authorization: bool = False
    """Whether some route of the policy wants the Authorization field."""

    session: bool = False
    """Whether some route of the policy wants a cookie."""


def advise(policy: CorsPolicy, around: Surroundings, path: str = "cors") -> tuple[Problem, ...]:
    """Compare a policy that `check` found sound with its surroundings.

    Returns:
        Warnings only; none of them makes the policy unsafe.
    """
    found = (*_of_origins(policy, around), *_of_names(policy, around))
    return tuple(
        Problem(mistake.rule, f"{path}.{place}", 0, mistake.text, mistake.remedy, "warning") for place, mistake in found
    )


def _of_origins(policy: CorsPolicy, around: Surroundings) -> Iterator[tuple[str, Mistake]]:
    for at, pattern in enumerate(patterns(policy)):
        place = f"origins[{at}]"
        if around.production and is_loopback(pattern.host):
            text = f"{pattern.text!r} lets programs on your users' machines read the answers"
            yield place, Mistake("GP132", text, "Keep it in the development policy")
        if pattern.text in around.served:
            text = f"{pattern.text!r} is the service itself, whose pages need no CORS"
            yield place, Mistake("GP133", text, "Remove it")
        if pattern is ANY and around.session:
            text = "pages of every origin are allowed, but the routes need a cookie that none of them can send"
            yield place, Mistake("GP136", text, "List the origins and allow credentials")


def _of_names(policy: CorsPolicy, around: Surroundings) -> Iterator[tuple[str, Mistake]]:
    if around.authorization and "authorization" not in [name.lower() for name in policy.headers]:
        text = "the routes want the Authorization field, and no page may send it"
        if not (policy.credentials and "*" in policy.headers):
            yield "headers", Mistake("GP134", text, "Add Authorization; * does not cover it")
    for at, method in enumerate(policy.methods):
        known = around.methods | {"*"} | {name.decode("ascii") for name in SAFELISTED_METHODS}
        if around.methods and method not in known:
            yield f"methods[{at}]", Mistake("GP135", f"no route takes {method}", "Remove it")
