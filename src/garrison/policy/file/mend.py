"""What of a policy can be judged although some of it cannot be read: the rest, with holes that are known.

Whoever mends a file wants all its mistakes from one run, those of the rules too. So each place that does not fit
is left out, or filled with a stand-in where something must stand there, and the linter is told which those are.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.model.fit import fit
from garrison.policy.file.problem import closest
from garrison.policy.notation import EXAMPLES, READERS
from garrison.policy.schema import Policy

if TYPE_CHECKING:
    from garrison.model.fit import Fitted, Misfit, Path
    from garrison.policy.file.holes import Holes

__all__ = ["ANYWHERE", "MOST_MENDED", "Mended", "mended"]

MOST_MENDED = 1_000
"""Misfits that are told and mended. Of a file with more the rules say nothing: each hole costs every rule a look."""

ANYWHERE: Holes = frozenset((name,) for name in Policy.__struct_fields__)
"""The holes of a policy of which nothing is known."""

_SOMETHING = "x"
"""Fits where any text does; where another is wanted, the misfit that comes next tells which."""


class Mended(NamedTuple):
    """A policy that fits, and what did not."""

    policy: Policy
    holes: Holes
    """Places of which nothing is known."""

    misfits: tuple[Misfit, ...]


def mended(document: dict[str, Any]) -> Mended:
    """Leave out what does not fit, until the rest does.

    Args:
        document: The plain value of a whole policy; not changed.
    """
    found: Fitted[Policy] = fit(document, Policy, READERS, MOST_MENDED)
    misfits = found.misfits
    if len(misfits) == MOST_MENDED:
        return Mended(Policy(), ANYWHERE, misfits)
    mend = _Mend(deepcopy(document) if misfits else document)
    while found.value is None:
        for misfit in found.misfits:
            mend.take(misfit)
        found = fit(mend.document, Policy, READERS, MOST_MENDED)
    return Mended(found.value, frozenset(mend.holes), misfits)


class _Mend:
    """A document on its way to fit; `holes` grows."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.holes: set[Path] = set()
        self.tried: set[tuple[Path, str]] = set()

    def take(self, misfit: Misfit) -> None:
        """Take one misfit out."""
        path = misfit.path
        if misfit.code == "unknown":
            self.forget(path, closest(str(path[-1]), misfit.offers))
        elif misfit.code == "missing" or isinstance(path[-1], int) or (path, _SOMETHING) in self.tried:
            self.fill(path, _stand_in(misfit))
        else:
            self.leave_out(path)

    def forget(self, path: Path, meant: str) -> None:
        """Leave out a member that is not known; it was meant for another one, of which then nothing is known."""
        table = self.table(path)
        table.pop(path[-1], None)
        if meant and meant not in table:
            self.holes.add((*path[:-1], meant))

    def fill(self, path: Path, stand_in: str) -> None:
        """Put something where something must stand; what does not fit a second time goes with all around it."""
        if (path, stand_in) in self.tried:
            self.leave_out(path[:-1])
            return
        self.tried.add((path, stand_in))
        self.table(path)[path[-1]] = stand_in
        self.holes.add(path)

    def leave_out(self, path: Path) -> None:
        self.table(path).pop(path[-1], None)
        self.holes.add(path)

    def table(self, path: Path) -> Any:
        """The table or list that holds the end of a path; an empty one where it was left out a moment ago."""
        inner: Any = self.document
        for step in path[:-1]:
            if isinstance(inner, dict) and step not in inner:
                return {}
            inner = inner[step]
        return inner


def _stand_in(misfit: Misfit) -> str:
    if misfit.notation:
        return str(ast.literal_eval(EXAMPLES[misfit.notation]))
    return misfit.offers[0] if misfit.code == "choice" else _SOMETHING
