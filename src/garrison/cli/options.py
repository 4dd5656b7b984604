"""Options that many commands share, each with one name, one meaning and one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from garrison.cli.screen import JSON

__all__ = ["POLICY", "AppName", "Json", "PolicyFile"]

POLICY = Path("garrison.toml")
"""The policy that every command reads by default."""


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
