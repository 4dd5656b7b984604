"""`garrison diff`: what changes between two policies, which of the changes weaken, and which take a restart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import Json, commands
from garrison.cli.screen import counted, printable, say, show
from garrison.errors import PolicyError

if TYPE_CHECKING:
    from garrison.policy.schema import Policy

__all__ = ["app", "diff"]

app = commands()

_Old = Annotated[Path, typer.Argument(metavar="OLD", help="The policy as it was.")]
_New = Annotated[Path, typer.Argument(metavar="NEW", help="The policy as it is to be.")]
_Weaker = Annotated[bool, typer.Option("--fail-on-weaker", help="Exit status 1 when a change weakens.")]


def _policies(*paths: Path) -> list[Policy]:
    """Read policies; what is wrong in any of them is told with the file it stands in.

    Raises:
        PolicyError: One is wrong; carries every problem of all.
        UsageError: There is no such file, or it cannot be read.
    """
    from garrison.cli.policy_file import read_policy

    policies, problems = [], []
    for path in paths:
        try:
            policies.append(read_policy(path))
        except PolicyError as error:
            problems += [problem._replace(path=f"{path} {problem.path}".rstrip()) for problem in error.problems]
    if problems:
        raise PolicyError(problems)
    return policies


@app.command()
def diff(old: _Old, new: _New, fail_on_weaker: _Weaker = False, json: Json = False) -> None:
    """Tell what changes between two policies, and what weakens.

    Both are read as the environment named by GARRISON_ENV sees them. What takes a restart is told as well.
    """
    from garrison.policy.diff import diff as compare

    changes = compare(*_policies(old, new))
    weaker = sum(change.weaker for change in changes)
    if json:
        show([change._asdict() for change in changes])
    else:
        for change in changes:
            say(printable(change))
        say(f"{counted(len(changes), 'change')}, {weaker} weaker")
        if any(change.restart for change in changes):
            say("A service that runs refuses all of it: restart it with the new policy")
    if weaker and fail_on_weaker:
        raise typer.Exit(1)
