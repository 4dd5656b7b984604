"""`garrison diff`: what changes between two policies, which of the changes weaken, and which take a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from garrison.cli.options import Json, commands
from garrison.cli.screen import printable, say, show

__all__ = ["app", "diff"]

app = commands()

_Old = Annotated[Path, typer.Argument(metavar="OLD", help="The policy as it was.")]
_New = Annotated[Path, typer.Argument(metavar="NEW", help="The policy as it is to be.")]
_Weaker = Annotated[bool, typer.Option("--fail-on-weaker", help="Exit status 1 when a change weakens.")]


@app.command()
def diff(old: _Old, new: _New, fail_on_weaker: _Weaker = False, json: Json = False) -> None:
    """Tell what changes between two policies, and what weakens.

    Both are read as the environment named by GARRISON_ENV sees them. What takes a restart is told as well.
    """
    from garrison.cli.policy_file import read_policy
    from garrison.policy.diff import diff as compare

    changes = compare(read_policy(old), read_policy(new))
    weaker = sum(change.weaker for change in changes)
    if json:
        show([change._asdict() for change in changes])
    else:
        for change in changes:
            say(printable(change))
        say(f"{len(changes)} change{'' if len(changes) == 1 else 's'}, {weaker} weaker")
        if any(change.restart for change in changes):
            say("A service that runs refuses all of it: restart it with the new policy")
    if weaker and fail_on_weaker:
        raise typer.Exit(1)
