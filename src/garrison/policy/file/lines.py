"""Find the line on which each member of a TOML file stands, because `tomllib` does not tell.

The text has already been read by `tomllib`, so this scanner only has to follow it, not to judge it.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.model.fit import Path

__all__ = ["DEEPEST", "lines_of"]

DEEPEST = 64
"""Steps of the longest path; a policy has eight. Whatever walks a document calls itself once or twice a step, and
a thousand steps would end the thread that reads the file again."""

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BASIC = r'"""(?:\\.|[^\\])*?"{3,5}|"(?:\\.|[^"\\\n])*"'
_LITERAL = r"'''.*?'{3,5}|'[^'\n]*'"
_STRING = re.compile(f"{_BASIC}|{_LITERAL}", re.DOTALL)
_BARE = re.compile(r"[^\s=,\[\]{}#.\"']+")
_WORD = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")


def lines_of(text: str) -> dict[Path, int]:
    """Map every path of a valid TOML text to its line, counted from 1.

    Raises:
        RecursionError: A path has more than `DEEPEST` steps; the text says on which line.
    """
    return _Scanner(text).run()


class _Scanner:
    """Walks once over the text; `at` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0
        self.lines: dict[Path, int] = {}
        self.elements: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        """Follow table headers and members to the end."""
        table: Path = ()
        self.skip()
        while self.at < len(self.text):
            table = self.header() if self.text[self.at] == "[" else self.member(table)
            self.skip()
        return self.lines

    def skip(self) -> None:
        """Step over space, line ends and comments."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def note(self, path: Path) -> None:
        """Remember the line of a path and, once, of what it stands in."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        if len(path) > DEEPEST:
            msg = f"nested too deeply (at line {self.line}, column 1)"
            raise RecursionError(msg)
        for end in range(1, len(path)):
            self.lines.setdefault(path[:end], self.line)
        self.lines[path] = self.line

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`."""
        array = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if array else 1
        path = self.inside(self.key())
        end, self.at = self.at + (2 if array else 1), start
        if array:
            path = (*path, self.element(path))
        self.note(path)
        self.at = end
        return path

    def element(self, path: Path) -> int:
        """Count the elements of an array of tables."""
        number = self.elements[path] = self.elements.get(path, -1) + 1
        return number

    def inside(self, path: Path) -> Path:
        """Put in the number of the current element wherever a header goes through an array of tables."""
        found: Path = ()
        for at, step in enumerate(path):
            found = (*found, step)
            if at < len(path) - 1 and found in self.elements:
                found = (*found, self.elements[found])
        return found

    def member(self, table: Path) -> Path:
        """Read `a.b = value`."""
        start = self.at
        path = (*table, *self.key())
        end, self.at = self.at, start
        self.note(path)
        self.at = end + 1
        self.skip()
        self.value(path)
        return table

    def key(self) -> Path:
        """Read a dotted key, up to the `=` or `]` after it."""
        steps: list[str] = []
        while True:
            self.skip()
            found = _STRING.match(self.text, self.at)
            if found is not None:
                steps.append(tomllib.loads(f"k = {found[0]}")["k"])
            else:
                found = _BARE.match(self.text, self.at)
                assert found is not None  # noqa: S101  # tomllib has read this key
                steps.append(found[0])
            self.at = found.end()
            self.skip()
            if self.text[self.at] != ".":
                return tuple(steps)
            self.at += 1

    def value(self, path: Path) -> None:
        """Read a value; arrays and inline tables note what they hold."""
        opening = self.text[self.at]
        if opening == "[":
            self.at += 1
            self.array(path)
        elif opening == "{":
            self.at += 1
            self.inline(path)
        else:
            found = _STRING.match(self.text, self.at) or _WORD.match(self.text, self.at)
            assert found is not None  # noqa: S101  # tomllib has read this value
            self.at = found.end()

    def array(self, path: Path) -> None:
        number = 0
        while not self.closes("]"):
            self.note((*path, number))
            self.value((*path, number))
            number += 1

    def inline(self, path: Path) -> None:
        while not self.closes("}"):
            self.member(path)

    def closes(self, bracket: str) -> bool:
        """Step over space and commas; tell whether the bracket closes here, and step over it."""
        self.skip()
        while self.text[self.at] == ",":
            self.at += 1
            self.skip()
        if self.text[self.at] != bracket:
            return False
        self.at += 1
        return True
