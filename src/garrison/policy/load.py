"""Read a policy from TOML and report every mistake at once, each with its line and its remedy."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.errors import PolicyError, Problem, UsageError
from garrison.policy.file.environments import ENVIRONMENTS, covered, hidden, laid, mislaid, misplaced
from garrison.policy.file.lines import lines_of
from garrison.policy.file.mend import MOST_MENDED, Mended, mended
from garrison.policy.file.overlay import Places, merged
from garrison.policy.file.problem import as_problem, one_of
from garrison.policy.lint import lint
from garrison.policy.schema import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path as File

    from garrison.model.fit import Misfit, Path
    from garrison.policy.lint import Files

__all__ = ["LARGEST_FILE", "Reading", "files_beside", "load", "read"]

LARGEST_FILE = 4 << 20
"""Largest policy file in bytes; a thousand routes take some 100 KiB."""


class Reading(NamedTuple):
    """What became of a text: a policy when it could be read, and every problem in it."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    places: Places


def load(source: File | str, environment: str = "production") -> Policy:
    """Read a policy.

    Args:
        source: A path to a file, or the TOML text itself.
        environment: `development`, `staging` or `production`; its table under `[environments]` is laid over the rest.

    Raises:
        PolicyError: With every mistake. Warnings do not refuse the policy; `read` gives them too.
    """
    reading = read(source, environment)
    mistakes = [problem for problem in reading.problems if problem.severity == "error"]
    if mistakes or reading.policy is None:
        raise PolicyError(mistakes)
    return reading.policy


def read(source: File | str, environment: str = "production") -> Reading:
    """Read a policy and keep what is wrong with it, warnings included.

    Raises:
        OSError: The file cannot be read.
    """
    nowhere = Places({}, environment)
    if environment not in ENVIRONMENTS:
        problem = Problem("GP002", "environment", 0, f"{environment!r} is no environment", one_of(ENVIRONMENTS))
        return Reading(None, (problem,), nowhere)
    text = source if isinstance(source, str) else _text_of(source)
    if isinstance(text, Problem):
        return Reading(None, (text,), nowhere)
    try:
        document = tomllib.loads(text)
        lines = lines_of(text)
    except (ValueError, RecursionError) as failure:
        return Reading(None, (_syntax(failure, text),), nowhere)
    return _fitted(document, lines, environment, None if isinstance(source, str) else files_beside(source))


def files_beside(policy: File) -> Files:
    """Make a reader of files in the directory of a policy and below it.

    The reader raises `UsageError` for a path that leads out of there, symbolic links followed: a policy that
    somebody else wrote must not be able to show our files.
    """
    root = policy.resolve().parent

    def read_file(name: str) -> bytes:
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            msg = "the file is outside the policy's directory"
            raise UsageError(msg)
        return file.read_bytes()

    return read_file


def _text_of(file: File) -> str | Problem:
    data = file.read_bytes()
    if len(data) > LARGEST_FILE:
        return Problem("GP001", "", 0, f"The file has more than {LARGEST_FILE} bytes", "Split the API into services")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        return Problem("GP001", "", line, "The file is not UTF-8", "Save it as UTF-8")


def _syntax(failure: ValueError | RecursionError, text: str) -> Problem:
    found = re.search(r"\(at line (\d+), column \d+\)", str(failure))
    line = int(found[1]) if found else text.count("\n") + 1
    deep = isinstance(failure, RecursionError)
    words = "The text is nested too deeply" if deep else f"The text is not TOML: {failure}"
    return Problem("GP001", "", line, words, "Mend this line first")


def _fitted(document: dict[str, Any], lines: dict[Path, int], environment: str, files: Files | None) -> Reading:
    """Fit the document for every environment that the file speaks of, so that no overlay is broken unseen.

    What does not fit keeps nothing else from being judged: one run is enough to mend the file.
    """
    written = document.pop("environments", {})
    holes = set(mislaid(document, written, environment))
    problems = misplaced(document, written, lines)
    overlays = laid(written)
    here = Mended(Policy(), frozenset(), ())
    for name in ENVIRONMENTS:
        if name != environment and name not in overlays:
            continue
        places = Places(lines, name)
        whole = {**merged(document, overlays.get(name, {})), "environment": name}
        found = mended(whole)
        problems += [as_problem(_offered(misfit), places, whole) for misfit in found.misfits]
        problems += _unfinished(found)
        if name == environment:
            here = found
            holes.update(hidden(found.misfits, lines, name))
        else:
            holes.update(covered(found, document, overlays.get(environment, {})))
    refused = bool(problems)
    places = Places(lines, environment)
    problems += [places.put(problem) for problem in lint(here.policy, files=files, holes=here.holes | holes)]
    return Reading(None if refused else here.policy, tuple(dict.fromkeys(problems)), places)


def _unfinished(found: Mended) -> Iterator[Problem]:
    """Say that the list of what does not fit may go on."""
    if len(found.misfits) == MOST_MENDED:
        text = f"There may be more than these {MOST_MENDED} places that cannot be read, and no rule was applied"
        yield Problem("GP004", "", 0, text, "Mend these first")


def _offered(misfit: Misfit) -> Misfit:
    """The file has a table `environments` where the policy has the one that is in force."""
    offers = tuple("environments" if offer == "environment" else offer for offer in misfit.offers)
    return misfit._replace(offers=offers)
