"""`garrison audit`: read the journal, prove it, and hand it to other systems."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands
from garrison.cli.screen import counted, instant, note, printable, rows, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.audit.verify import Report
    from garrison.runtime.runtime import Runtime
    from garrison.stores.protocols import Head, Query, Sealed

__all__ = ["Form", "anchor", "app", "export", "tail", "verify"]

app = commands()

_Code = Annotated[str, typer.Option("--code", metavar="CODE", help="Only events of this code, such as authn_fail.")]
_Actor = Annotated[str, typer.Option("--actor", metavar="WHO", help="Only what this one did, such as user:ID.")]
_Subject = Annotated[str, typer.Option("--subject", metavar="WHAT", help="Only what was done to this, such as key:ID.")]
_Since = Annotated[str, typer.Option("--since", metavar="DURATION", help="Only the last 15m, 24h, 7d.")]

_PAGE = 1_000
_LOOK = 0.5
"""Seconds between two looks of `--follow`."""


class Form(Enum):
    """What other systems read."""

    jsonl = "jsonl"
    ocsf = "ocsf"
    ecs = "ecs"


@app.command()
def tail(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=_PAGE, metavar="N", help="How many events.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    code: _Code = "",
    actor: _Actor = "",
    subject: _Subject = "",
    since: _Since = "",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Print the last events of the journal, the newest at the end."""
    from garrison.cli.workspace import opened
    from garrison.guard.drive import drive
    from garrison.stores.protocols import Query

    with opened(policy) as runtime:
        _check_code(runtime, code)
        query = Query(code=code, actor=actor, subject=subject, since=_since(runtime, since), limit=count, newest=True)
        found = sorted(drive(runtime.driven_side.face.read(query)), key=_order)
        if json:
            for sealed in found:
                say(_json(sealed))
        else:
            rows(("when", "", "what", "outcome", "who", "to what", "from", "why"), [_row(sealed) for sealed in found])
        if follow:
            _follow(runtime, query, found, json=json)


@app.command()
def verify(
    anchors: Annotated[
        Path | None, typer.Option("--anchors", metavar="FILE", help="Ends of the chains, as `anchor` printed them.")
    ] = None,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Prove that no event was changed, removed, put in or cut off. Exit status 1 when one was."""
    from garrison.audit.verify import verify as prove
    from garrison.cli.workspace import opened
    from garrison.guard.drive import drive

    known = _anchors(anchors)
    with opened(policy) as runtime:
        keys = [runtime.ring.key("audit-chain", root) for root in runtime.ring.ids]
        report = drive(prove(runtime.driven_side.face, keys, known))
    if json:
        show({"whole": report.whole, "events": report.events, "flaws": [flaw._asdict() for flaw in report.flaws]})
    else:
        _tell(report)
    if not report.whole:
        raise typer.Exit(1)


@app.command()
def anchor(policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Print where the chains end now, to be kept out of the store's reach; `verify` holds it against the journal."""
    from garrison.audit.verify import anchor as write_anchor
    from garrison.cli.workspace import opened
    from garrison.guard.drive import drive

    del json  # it is JSON lines either way
    with opened(policy) as runtime:
        sys.stdout.write(drive(write_anchor(runtime.driven_side.face)).decode())


@app.command()
def export(
    form: Annotated[Form, typer.Option("--format", help="JSON lines of our own, OCSF, or Elastic's.")] = Form.jsonl,
    code: _Code = "",
    actor: _Actor = "",
    subject: _Subject = "",
    since: _Since = "",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Write the journal for other systems, one JSON line an event, the oldest first."""
    from garrison.audit.export import line
    from garrison.cli.workspace import opened

    del json  # it is JSON lines either way
    with opened(policy) as runtime:
        _check_code(runtime, code)
        for sealed in _events(runtime, code=code, actor=actor, subject=subject, since=_since(runtime, since)):
            sys.stdout.write(line(sealed, form.value).decode())


def _events(runtime: Runtime, **wanted: Any) -> Iterator[Sealed]:
    from garrison.guard.drive import drive
    from garrison.stores.protocols import Query

    place = ("", 0)
    while page := drive(runtime.driven_side.face.read(Query(**wanted, limit=_PAGE), place)):
        yield from page
        place = (page[-1].writer, page[-1].sequence)


def _check_code(runtime: Runtime, code: str) -> None:
    """Refuse a code that is none: nothing found would look like nothing happened.

    Raises:
        UsageError: It is neither of Garrison's codes nor one that the journal holds, such as the application's own.
    """
    from difflib import get_close_matches

    from garrison.audit.codes import CODES
    from garrison.guard.drive import drive
    from garrison.stores.protocols import Query

    if not code or code in CODES or drive(runtime.driven_side.face.read(Query(code=code, limit=1))):
        return
    close = get_close_matches(code.lower(), CODES, n=1)
    hint = f"did you mean {close[0]}?" if close else "docs/reference/events.md lists them"
    msg = f"there is no event {code}, and none in the journal; {hint}"
    raise UsageError(msg)


def _since(runtime: Runtime, since: str) -> int:
    from garrison.model.units import duration

    return runtime.clock.wall() - duration(since) if since else 0


def _follow(runtime: Runtime, query: Query, found: list[Sealed], *, json: bool) -> None:
    """Look again and again, a little further back than the last event: another process may have been slower."""
    from msgspec.structs import replace

    from garrison.guard.drive import drive
    from garrison.model.units import SECOND

    begun = latest = found[-1].event.at if found else runtime.clock.wall()
    seen = {(sealed.writer, sealed.sequence) for sealed in found}
    while True:
        sys.stdout.flush()
        wider = replace(query, since=max(query.since, latest - 2 * SECOND), limit=_PAGE)
        for sealed in sorted(drive(runtime.driven_side.face.read(wider)), key=_order):
            place = (sealed.writer, sealed.sequence)
            if place in seen or sealed.event.at < begun:
                continue
            seen.add(place)
            latest = max(latest, sealed.event.at)
            say(_json(sealed) if json else "  ".join(printable(cell) for cell in _row(sealed) if cell))
        sleep(_LOOK)


def _order(sealed: Sealed) -> tuple[int, str, int]:
    return sealed.event.at, sealed.writer, sealed.sequence


def _row(sealed: Sealed) -> tuple[str, ...]:
    event = sealed.event
    times = f" x{event.count}" if event.count > 1 else ""
    mark = {"info": "", "warning": "!", "critical": "!!"}.get(event.severity, "")
    why = " ".join(part for part in (event.reason, str(event.details.get("origin", "")), event.route) if part)
    return (
        instant(event.at),
        mark,
        event.code + times,
        event.outcome,
        event.actor,
        event.subject,
        event.address,
        why,
    )


def _json(sealed: Sealed) -> str:
    import msgspec

    told = {"writer": sealed.writer, "sequence": sealed.sequence, **msgspec.to_builtins(sealed.event)}
    return msgspec.json.encode(told).decode()


def _anchors(path: Path | None) -> tuple[Head, ...]:
    import msgspec

    from garrison.audit.verify import anchors

    if path is None:
        return ()
    try:
        return anchors(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        msg = f"{path} cannot be read as anchors: {error}"
        raise UsageError(msg) from None


def _tell(report: Report) -> None:
    events, heads, flaws, total = report
    for flaw in flaws:
        place = f"{flaw.writer} {flaw.sequence}" if flaw.sequence else flaw.writer
        say(printable(f"{place}: {flaw.kind}: {flaw.text}"))
    if total > len(flaws):
        note(f"{counted(total - len(flaws), 'more flaw')} not listed")
    say(f"{counted(events, 'event')} in {counted(len(heads), 'chain')}, {counted(total, 'flaw')}")
