"""Environments: tables in the same file that are laid over the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.model.fit import path_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.errors import Problem
    from garrison.model.fit import Path

__all__ = ["Places", "merged"]


def merged(under: Any, over: Any) -> Any:
    """Lay one value over another: tables are merged member by member, anything else is replaced."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {
        **under,
        **{name: merged(under[name], value) if name in under else value for name, value in over.items()},
    }


class Places:
    """Where in the file a place of the merged policy was written: in the overlay if it stands there."""

    __slots__ = ("_lines", "_overlay", "_texts")

    def __init__(self, lines: Mapping[Path, int], environment: str) -> None:
        """Keep the lines of the file and the name of the environment in force."""
        self._lines = lines
        self._overlay: Path = ("environments", environment)
        self._texts: dict[str, Path] = {}

    def find(self, path: Path) -> tuple[Path, int]:
        """Give the path as it stands in the file, and its line; a missing member has the line of its table."""
        for whole in ((*self._overlay, *path), path):
            if whole in self._lines:
                return whole, self._lines[whole]
        # Nothing of that name is written: point at the nearest table that is, the overlay's first.
        for end in range(len(path) - 1, 0, -1):
            for prefix in (self._overlay, ()):
                line = self._lines.get((*prefix, *path[:end]))
                if line is not None:
                    return path, line
        return path, 0

    def put(self, problem: Problem) -> Problem:
        """Fill in the line of a problem that knows its path only, and where the path stands in the file."""
        if not self._texts:
            depth = len(self._overlay)
            merged_paths = [path[depth:] if path[:depth] == self._overlay else path for path in self._lines]
            self._texts = {path_text(path): path for path in merged_paths}
        path = self._texts.get(problem.path)
        if path is None:
            # Nothing of that name is written; the nearest table that is has the line.
            above = max((text for text in self._texts if problem.path.startswith(f"{text}.")), key=len, default="")
            line = self.find(self._texts[above])[1] if above else 0
            return problem._replace(line=line)
        found, line = self.find(path)
        return problem._replace(path=path_text(found), line=line)
