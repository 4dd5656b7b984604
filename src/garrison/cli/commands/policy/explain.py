"""`garrison explain`: what would become of a request, which rule decides, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands, split
from garrison.cli.screen import printable, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.cli.witness import Witness
    from garrison.policy.plan import Plans

__all__ = ["app", "explain"]

app = commands()

_As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="WHO",
        help="key:ID or user:NAME as stored, or key, jwt, key+jwt with --scopes.",
    ),
]


@app.command()
def explain(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, … or WS for a WebSocket.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="As it is sent: /api/tasks/7.")],
    who: _As = "",
    scopes: Annotated[
        list[str] | None, typer.Option("--scopes", metavar="SCOPES", help="What they may, with commas between.")
    ] = None,
    origin: Annotated[str, typer.Option("--origin", metavar="ORIGIN", help="Origin of the page that sends it.")] = "",
    address: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="Client address.")] = "",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Tell what would become of a request, and what would change it.

    Every step of the guard is told, up to the one that refuses. Nothing is spent and nothing is recorded.
    """
    from garrison.policy.explain import explain as judge

    _demand_notations(origin, address)
    plans, witness = _looked_up(policy, who, split(scopes))
    asked = witness.asked(method.upper(), path, origin, address)
    explanation = witness.judged(judge(plans, asked), plans, asked)
    if json:
        steps = [step._asdict() for step in explanation.steps]
        show({**explanation._asdict(), "as": witness.told, "steps": steps})
        return
    head, *lines = str(explanation).splitlines()
    say(printable(f"{asked.method} {path} as {witness.told} {head}"))
    for line in lines:
        say(printable(line))


def _looked_up(policy: Path, who: str, scopes: tuple[str, ...]) -> tuple[Plans, Witness]:
    """Compile the policy, and find who is asked about: in the store only if they are said to be there."""
    from garrison.cli.witness import imagined, stored

    if ":" not in who:
        from garrison.cli.policy_file import compiled

        return compiled(policy), imagined(who, scopes)
    if scopes:
        msg = "--scopes is for somebody imagined; who is stored may what is stored"
        raise UsageError(msg)
    from garrison.cli.workspace import opened

    with opened(policy) as runtime:
        return runtime.driven.force.plans, stored(runtime, who)


def _demand_notations(origin: str, address: str) -> None:
    """Refuse what no request can have, before it is told what would become of it."""
    from ipaddress import ip_address

    from garrison.cors.origin import parse

    if origin not in {"", "null"} and parse(origin) is None:
        msg = f"--origin {origin[:60]!r} is nothing that a browser sends; write it like https://app.example.com"
        raise UsageError(msg)
    try:
        ip_address(address or "::1")
    except ValueError:
        msg = f"--from {address[:60]!r} is no address; write it like 192.0.2.1 or 2001:db8::1"
        raise UsageError(msg) from None
