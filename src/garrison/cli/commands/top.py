"""`garrison top`: who is refused most at this moment, over every process that writes the same journal."""

from __future__ import annotations

import sys
from contextlib import suppress
from enum import Enum
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands
from garrison.cli.screen import counted, framed, instant, note, rows, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from garrison.audit.sketch import Heavy
    from garrison.model.event import Event
    from garrison.runtime.runtime import Runtime

__all__ = ["By", "app", "top"]

app = commands()

_EACH = 1.0
"""Seconds between two looks."""

_PAGE = 1_000


class By(Enum):
    """What refusals are counted by."""

    address = "address"
    who = "who"
    route = "route"
    code = "code"


class _Seen(NamedTuple):
    """What the journal holds of the last while."""

    total: int
    heaviest: Sequence[Heavy]
    last: dict[str, Event]
    """The last refusal of each of them."""


@app.command()
def top(
    by: Annotated[By, typer.Option("--by", help="Count addresses, accounts and keys, routes, or codes.")] = By.address,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=100, metavar="N", help="How many.")] = 10,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="Look back so far: 5m, 1h.")] = "15m",
    once: Annotated[bool, typer.Option("--once", help="Print once; the same where there is no terminal.")] = False,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Show who is refused most at this moment.

    On a terminal it looks again each second, until Ctrl-C. Refusals that were only observed count as well.
    """
    from garrison.cli.workspace import opened
    from garrison.model.units import duration

    with opened(policy) as runtime:
        back = duration(since)
        if json:
            show(_told(_looked(runtime, by, back, count)))
        elif once or not sys.stdout.isatty():
            _print(_looked(runtime, by, back, count), by, since)
        else:
            _watch(lambda: _looked(runtime, by, back, count), by, since)


def _looked(runtime: Runtime, by: By, back: int, count: int) -> _Seen:
    """Read the journal of the last while."""
    from garrison.audit.sketch import Sketch

    sketch = Sketch()
    last: dict[str, Event] = {}
    for event in _refused(runtime, runtime.clock.wall() - back):
        name = _name(event, by)
        sketch.add(name, event.count)
        if name not in last or last[name].at <= event.at:
            last[name] = event
    heaviest = sketch.top(count)
    return _Seen(sketch.total, heaviest, {each.name: last[each.name] for each in heaviest})


def _refused(runtime: Runtime, since: int) -> Iterator[Event]:
    from garrison.guard.drive import drive
    from garrison.stores.protocols import Query

    place = ("", 0)
    while page := drive(runtime.driven_side.face.read(Query(since=since, limit=_PAGE), place)):
        for sealed in page:
            if sealed.event.outcome == "refused" or sealed.event.details.get("observed"):
                yield sealed.event
        place = (page[-1].writer, page[-1].sequence)


def _name(event: Event, by: By) -> str:
    """Say who or what an event counts against; what holds many is not told apart any more."""
    names = {"address": event.address, "who": event.actor or event.subject, "route": event.route, "code": event.code}
    return names[by.value] or "(several)"


def _told(seen: _Seen) -> dict[str, Any]:
    from msgspec import to_builtins

    top = [
        {"name": name, "refusals": weight, "over": over, "last": to_builtins(seen.last[name])}
        for name, weight, over in seen.heaviest
    ]
    return {"refusals": seen.total, "top": top}


def _columns(by: By) -> tuple[str, ...]:
    return ("refusals", "share", by.value, "last", "what", "why", "route")


def _rows(seen: _Seen) -> list[tuple[str, ...]]:
    return [_row(heavy, seen.last[heavy.name], seen.total) for heavy in seen.heaviest]


def _row(heavy: Heavy, last: Event, total: int) -> tuple[str, ...]:
    times = f"{heavy.weight - heavy.over} to {heavy.weight}" if heavy.over else str(heavy.weight)
    return times, f"{heavy.weight / total:.0%}", heavy.name, instant(last.at), last.code, last.reason, last.route


def _print(seen: _Seen, by: By, since: str) -> None:
    rows(_columns(by), _rows(seen))
    note(f"{counted(seen.total, 'refusal')} in the last {since}")


def _watch(look: Callable[[], _Seen], by: By, since: str) -> None:
    """Draw the table anew each second, in the terminal's other screen."""
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(), screen=True, auto_refresh=False) as live, suppress(KeyboardInterrupt):
        while True:
            seen = look()
            table = framed(_columns(by), _rows(seen), title=f"{counted(seen.total, 'refusal')} in the last {since}")
            live.update(table, refresh=True)
            sleep(_EACH)
