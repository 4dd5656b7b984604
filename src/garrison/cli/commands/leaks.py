"""`garrison leaks`: keys where they must not be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands
from garrison.cli.screen import counted, note, printable, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from garrison.credentials.leaks import Scanned

__all__ = ["app", "leaks"]

app = commands()

_Paths = Annotated[list[str] | None, typer.Argument(metavar="PATH", help="Files and folders; - is standard input.")]
_Brand = Annotated[
    str, typer.Option("--brand", metavar="BRAND", help="Keys of this brand only. [default: the policy's, else any]")
]
_Patterns = Annotated[
    str,
    typer.Option("--patterns", metavar="SCANNER", help="Print what gitleaks, trufflehog, github or pre-commit reads."),
]


@app.command()
def leaks(
    paths: _Paths = None, brand: _Brand = "", patterns: _Patterns = "", policy: PolicyFile = POLICY, json: Json = False
) -> None:
    """Look for keys of this service in files. Exit status 1 when one is found, or a file could not be read.

    What is found is named by its public id, which `garrison keys revoke` takes; the secret is never repeated.
    For a history: git log -p | garrison leaks -
    """
    from garrison.credentials.leaks import pattern, scan

    if patterns:
        _print_pattern(pattern(patterns, _brand(brand, policy, needed=True)), json=json)
        return
    if not paths:
        msg = "say where to look: garrison leaks PATH"
        raise UsageError(msg)
    wanted = _brand(brand, policy, needed=False)
    files = [path for path in paths if path != "-"]
    found = scan(files, wanted)
    if len(files) < len(paths):
        found = _with_input(found, wanted)
    _tell(found, json=json)
    if found.leaks or found.unread:
        raise typer.Exit(1)


def _brand(given: str, policy: Path, *, needed: bool) -> str:
    if given:
        return given
    if policy.exists() or policy != POLICY:
        from garrison.cli.policy_file import read_policy

        return read_policy(policy).keys.brand
    if needed:
        msg = "say whose keys: --brand BRAND, or run it beside the policy"
        raise UsageError(msg)
    return ""


def _with_input(found: Scanned, brand: str) -> Scanned:
    from garrison.credentials.leaks import leaks_in

    piped = tuple(leaks_in(sys.stdin.buffer, "-", brand))
    return found._replace(leaks=(*found.leaks, *piped), files=found.files + 1)


def _print_pattern(text: str, *, json: bool) -> None:
    if json:
        show({"pattern": text})
    else:
        say(text.rstrip("\n"))


def _tell(found: Scanned, *, json: bool) -> None:
    if json:
        leaked = [leak._asdict() for leak in found.leaks]
        show({"leaks": leaked, "files": found.files, "unread": found.unread})
        return
    for leak in found.leaks:
        say(printable(leak))
    for unread in found.unread:
        note(f"garrison: not read: {printable(unread)}")
    say(f"{counted(found.files, 'file')} read, {counted(len(found.leaks), 'key')} found")
    if found.leaks:
        note("end each of them: garrison keys revoke ID")
