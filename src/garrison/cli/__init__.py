"""The `garrison` command.

Nothing heavy is imported before it is known which command is called: whoever presses TAB or asks for help waits.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the console script `garrison`."""
    from garrison.cli.program import program

    program(prog_name="garrison")
