"""Problems in words: which rule was broken, and what to write instead."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from garrison.errors import Problem
from garrison.model.fit import path_text
from garrison.policy.notation import EXAMPLES

if TYPE_CHECKING:
    from garrison.model.fit import Misfit, Path
    from garrison.policy.file.overlay import Places

__all__ = ["as_problem", "closest", "meant", "one_of"]

_RULES = {"unknown": "GP002", "missing": "GP003", "format": "GP005"}


def as_problem(misfit: Misfit, places: Places | None = None, document: object = None) -> Problem:
    """Turn a misfit into a problem of the policy.

    Args:
        misfit: What does not fit.
        places: Tells where it stands in the file, if there is one.
        document: What was written, for guessing what was meant.
    """
    path, line = places.find(misfit.path) if places else (misfit.path, 0)
    rule = _RULES.get(misfit.code, "GP004")
    return Problem(rule, path_text(path), line, misfit.text.partition(". Write ")[0], _remedy(misfit, document))


def _remedy(misfit: Misfit, document: object) -> str:
    if misfit.code == "unknown":
        return meant(str(misfit.path[-1]), misfit.offers)
    if misfit.code == "choice":
        written = _at(document, misfit.path)
        return meant(written if isinstance(written, str) else "", misfit.offers)
    if misfit.code == "missing":
        return f"Write {misfit.path[-1]} = …"
    if misfit.notation:
        return f"Write it like {EXAMPLES[misfit.notation]}"
    return "Change the value"


def _at(document: object, path: Path) -> object:
    """What stands at a path of a plain value; None where nothing does."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        else:
            document = document[step] if isinstance(document, list) and isinstance(step, int) else None
    return document


def meant(written: str, offers: tuple[str, ...]) -> str:
    """Say which known name was probably meant, or list them all."""
    close = closest(written, offers)
    return f"Did you mean {close}?" if close else one_of(offers)


def closest(written: str, offers: tuple[str, ...]) -> str:
    """Give the known name that was probably meant; empty where none is near."""
    return next(iter(get_close_matches(written.lower(), offers, n=1, cutoff=0.6)), "")


def one_of(offers: tuple[str, ...]) -> str:
    """Ask for one of several names."""
    return "Write one of " + ", ".join(offers)
