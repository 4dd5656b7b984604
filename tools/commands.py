"""Write the reference of the command line from the commands themselves.

`python tools/commands.py` writes the page; with `--check` it writes nothing and exits with 1 when it is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from garrison.cli.compare import NUMBERS
from garrison.cli.program import COMMANDS, load

__all__ = ["main", "page"]

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
WIDTH = 84
"""Columns of a page on a screen of ordinary width."""

HEAD = """\
# The command line

<!-- Written by tools/commands.py; change the commands and run it again. -->

Every command reads `./garrison.toml`, or the policy named by `--policy`, as the environment in `GARRISON_ENV` sees it:
`development`, `staging`, or `production`, which is assumed where nothing is said. On a terminal results are tables,
elsewhere plain lines; `--json` gives the same to programs. What is secret is printed once, alone on standard output;
whatever a terminal would obey instead of showing (escapes, line ends, turned text) is written out.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | done, and something is wrong: a problem, a flaw, a leak, a key that is not there |
| 2 | not done: the policy is wrong, a secret is missing, a store cannot be opened, the call makes no sense |
| 130 | ended by Ctrl-C; `garrison serve` ends with 0 |

Completion for a shell: `garrison --install-completion`. `python -m garrison` does the same as `garrison`.
"""

PROBLEMS = """\

## Problems that `check --app` adds

Everything else is in [the rules](lint.md).

| number | meaning |
|---|---|"""


def page() -> str:
    """Write the page."""
    sections = [section for name in COMMANDS for section in _sections(name)]
    numbers = [f"| {number} | {text} |" for number, text in NUMBERS.items()]
    return "\n".join([HEAD, *sections, PROBLEMS, *numbers, ""])


def main(arguments: list[str]) -> int:
    """Write the page, or check it; give the exit status."""
    text = page()
    if "--check" in arguments:
        current = PAGE.exists() and PAGE.read_text("utf-8") == text
        if not current:
            print("docs/reference/cli.md is stale: run python tools/commands.py")
        return 0 if current else 1
    PAGE.write_text(text, "utf-8")
    return 0


def _sections(name: str) -> Iterator[str]:
    command = get_command(load(name))
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner:
        yield _section(command, f"garrison {name}")
        return
    yield f"## garrison {name}\n\n{command.help or COMMANDS[name]}\n"
    for word, each in inner.items():
        yield _section(each, f"garrison {name} {word}", level="###")


def _section(command: Any, title: str, level: str = "##") -> str:
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}
    context = command.make_context(title, [], resilient_parsing=True, **settings)
    return f"{level} {title}\n\n```text\n{context.get_help()}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
