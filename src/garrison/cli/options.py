"""Options that many commands share, each with one name, one meaning and one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from garrison.cli.screen import JSON

__all__ = ["POLICY", "AppName", "Json", "PolicyFile", "commands", "split"]

POLICY = Path("garrison.toml")
"""The policy that every command reads by default."""


def commands() -> typer.Typer:
    """Begin the module of one command: plain help, no traces of its own."""
    return typer.Typer(
        rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True
    )


def split(given: list[str] | None) -> tuple[str, ...]:
    """Read a list that may come as several options, with commas, or with spaces."""
    return tuple(part for each in given or () for part in each.replace(",", " ").split())


def _json(context: typer.Context, value: bool) -> bool:
    """Remember the choice where faults are told as well."""
    context.meta[JSON] = value
    return value


PolicyFile: TypeAlias = Annotated[
    Path, typer.Option("--policy", "-p", metavar="FILE", help="The policy.", show_default=True)
]

Json: TypeAlias = Annotated[bool, typer.Option("--json", callback=_json, is_eager=True, help="Print JSON.")]

AppName: TypeAlias = Annotated[
    str, typer.Option("--app", metavar="MODULE:APP", help="The application, imported from the working directory.")
]
