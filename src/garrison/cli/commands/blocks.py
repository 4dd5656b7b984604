"""`garrison blocks`: who is shut out, and why; shut somebody out, or let them in again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands
from garrison.cli.screen import counted, instant, note, printable, rows, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from garrison.admin.blocks import BlockRow

__all__ = ["add", "app", "lift", "list_blocks"]

app = commands()

_Network = Annotated[str, typer.Argument(metavar="NETWORK", help="An address, or a network such as 203.0.113.0/24.")]

_BY = "operator:console"
_TAIL = 6


@app.command("list")
def list_blocks(policy: PolicyFile = POLICY, json: Json = False) -> None:
    """List what is shut out at this moment, the newest first."""
    from msgspec import to_builtins

    from garrison.admin.blocks import stored
    from garrison.cli.workspace import opened
    from garrison.guard.drive import drive

    with opened(policy) as runtime:
        now = runtime.clock.wall()
        found = [row for row in drive(stored(runtime.driven_side.face)) if not 0 < row.until <= now]
    found.sort(key=lambda row: -row.at)
    if json:
        show([to_builtins(row) for row in found])
    else:
        rows(("network", "since", "until", "by", "why"), [_row(row) for row in found])


@app.command()
def add(
    network: _Network,
    life: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long; for ever if left out.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the journal.")] = "",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Shut a network out, in every running process within a second. Not even the policy's allow list opens it."""
    from garrison.admin.blocks import BlockRow, block, network_text
    from garrison.cli.workspace import opened
    from garrison.guard.drive import drive
    from garrison.model.ids import random_id
    from garrison.model.units import duration

    lasting = duration(life) if life else 0
    named = network_text(network)
    with opened(policy) as runtime:
        now = runtime.clock.wall()
        until = now + lasting if lasting else 0
        row = BlockRow(network=named, until=until, by=_BY, reason=reason, at=now, purge=until)
        if not drive(block(runtime.driven_side.face, runtime.news, row, random_id(runtime.randomness, _TAIL))):
            msg = f"others keep changing the block of {network}; try again"
            raise UsageError(msg)
    if json:
        show({"network": named, "until": until})
    else:
        say(f"{printable(named)} is shut out {'until ' + instant(until) if until else 'until it is lifted'}")


@app.command()
def lift(network: _Network, policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Let a network in again, and forget that it was shut out. Exit status 1 when it is not."""
    from garrison.admin.blocks import lift as end
    from garrison.cli.workspace import opened
    from garrison.guard.drive import drive
    from garrison.model.ids import random_id

    with opened(policy) as runtime:
        now, tail = runtime.clock.wall(), random_id(runtime.randomness, _TAIL)
        done = drive(end(runtime.driven_side.face, runtime.news, network, _BY, now, tail))
    if json:
        show({"network": network, "lifted": done})
    elif done:
        say(f"{printable(network)} may come in again")
    else:
        note(f"garrison: {printable(network)} is not shut out; garrison blocks list shows what is")
    if not done:
        raise typer.Exit(1)


def _row(row: BlockRow) -> tuple[str, ...]:
    did = ", ".join(counted(count, event) for event, count in sorted(row.evidence.items()))
    until = instant(row.until) if row.until else "lifted"
    return row.network, instant(row.at), until, row.by, " ".join(part for part in (row.reason, did) if part)
