"""Environments in a policy file: what is laid over the rest, and what was meant to be and stands elsewhere.

A forgotten `s` in `[environment.production]` is one mistake. The rules are told what stands there, so that they do
not report it as missing; what cannot be read at all says nothing, and hides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from garrison.errors import Problem
from garrison.model.fit import path_text
from garrison.policy.file.problem import closest, meant
from garrison.policy.schema import Environment, Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.model.fit import Misfit, Path
    from garrison.policy.file.mend import Mended

__all__ = ["ENVIRONMENTS", "covered", "hidden", "laid", "mislaid", "misplaced"]

ENVIRONMENTS: tuple[str, ...] = get_args(Environment)
"""Names of environments."""

_TABLE = "must be a table of members"


def misplaced(document: dict[str, Any], overlays: Any, lines: dict[Path, int]) -> list[Problem]:
    """Find what cannot be seen after merging."""
    problems = []
    if "environment" in document:
        text, remedy = "is not known here", "Did you mean environments?"
        if not isinstance(document.pop("environment"), (dict, list)):
            text = "The environment does not stand in the file"
            remedy = "Remove it and set GARRISON_ENV, so that one file serves all environments"
        problems.append(Problem("GP002", "environment", lines.get(("environment",), 0), text, remedy))
    if not isinstance(overlays, dict):
        line = lines.get(("environments",), 0)
        remedy = "Write [environments.development]"
        return [*problems, Problem("GP004", "environments", line, _TABLE, remedy)]
    for name, overlay in overlays.items():
        path: Path = ("environments", name)
        line = lines.get(path, 0)
        if name not in ENVIRONMENTS:
            problems.append(Problem("GP002", path_text(path), line, "is no environment", meant(name, ENVIRONMENTS)))
        elif not isinstance(overlay, dict):
            problems.append(Problem("GP004", path_text(path), line, _TABLE, f"Write [{path_text(path)}]"))
        elif "environment" in overlay or "environments" in overlay:
            text = "names an environment inside an environment"
            problems.append(Problem("GP002", path_text(path), line, text, "Remove it"))
    return problems


def laid(overlays: Any) -> dict[str, dict[str, Any]]:
    """What is sound enough to be laid over the rest; `misplaced` has told about all else."""
    tables = overlays.items() if isinstance(overlays, dict) else ()
    return {
        name: {key: value for key, value in overlay.items() if key not in ("environment", "environments")}
        for name, overlay in tables
        if isinstance(overlay, dict)
    }


def mislaid(document: dict[str, Any], written: Any, environment: str) -> Iterator[Path]:
    """Name what was to be said of this environment and stands where nobody reads it; the place itself is told."""
    sound = isinstance(written, dict) and isinstance(written.get(environment), dict)
    yield from _meant_for({**written, environment: {}} if sound else written, environment)
    for name, tables in document.items():
        if _means_environments(name, tables):
            yield from _meant_for(tables, environment)


def _means_environments(name: str, tables: Any) -> bool:
    """Tell whether a member at the top is `environments`, misspelled."""
    fields = Policy.__struct_fields__
    return isinstance(tables, (dict, list)) and (
        name == "environment" or (name not in fields and closest(name, fields) == "environment")
    )


def _meant_for(tables: Any, environment: str) -> Iterator[Path]:
    """Name what those of the tables say that were meant for this environment."""
    if isinstance(tables, list):
        # `[[environments]]` was opened without a name, and what follows may stand right below it.
        for element in tables:
            yield from _meant_for(element, environment)
            yield from _spoken(element)
    elif isinstance(tables, dict):
        for name, overlay in tables.items():
            if closest(name, ENVIRONMENTS) == environment:
                yield from _spoken(overlay)


def _spoken(overlay: Any) -> Iterator[Path]:
    """Name what an overlay speaks of, also one written `[[environments.production]]`; what is no table: nothing."""
    if isinstance(overlay, list):
        for element in overlay:
            yield from _spoken(element)
    elif isinstance(overlay, dict):
        for table, members in overlay.items():
            yield from ((table, member) for member in members) if isinstance(members, dict) else ((table,),)


def hidden(misfits: tuple[Misfit, ...], lines: dict[Path, int], environment: str) -> Iterator[Path]:
    """Name what a misspelled member was meant for, where only the other layer has a member of that name."""
    for path, offers in ((misfit.path, misfit.offers) for misfit in misfits if misfit.code == "unknown"):
        other = (*path[:-1], closest(str(path[-1]), offers))
        for layer in (), ("environments", environment):
            if other[-1] and (*layer, *path) in lines and (*layer, *other) not in lines:
                yield other


def covered(other: Mended, document: dict[str, Any], overlay: dict[str, Any]) -> Iterator[Path]:
    """Name tables that cannot be read, and whose place this environment's overlay takes instead of adding to them."""
    for name, table in overlay.items():
        if (name,) in other.holes and isinstance(table, dict) and not isinstance(document.get(name, {}), dict):
            yield (name,)
