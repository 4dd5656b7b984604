"""All commands by name; each one is loaded when it is called, and its faults are told in plain words."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from garrison.cli.screen import JSON, fail
from garrison.errors import GarrisonError
from garrison.model.version import VERSION

__all__ = ["COMMANDS", "FAULT", "Commands", "load", "program"]

FAULT = 2
"""Exit status when a command could not do its work; 1 means that it did, and found something wrong."""

COMMANDS = {
    "init": "Write a policy from an application or an OpenAPI document.",
    "check": "Find what is wrong with the policy, and where the app differs.",
    "explain": "Tell what would become of a request, and what would change it.",
    "schema": "Print the JSON Schema of a policy, for editors.",
    "diff": "Tell what changes between two policies, and what weakens.",
    "keys": "Make, list, rotate and revoke API keys.",
    "leaks": "Look for keys of this service in files.",
    "users": "Make, invite, list, disable and enable users.",
    "blocks": "List, add and lift blocks of networks.",
    "audit": "Read, prove and export the audit journal.",
    "top": "Show who is refused most at this moment.",
    "jobs": "Do the work beside the requests.",
    "serve": "Serve an application behind the guard.",
}
"""Every command in the order of `--help`."""

_ABOUT_POLICIES = frozenset(("init", "check", "explain", "schema", "diff"))


def load(name: str) -> Any:
    """Load a command's application: `garrison.cli.commands.<name>` holds it, or `commands.policy.<name>`."""
    folder = "garrison.cli.commands.policy" if name in _ABOUT_POLICIES else "garrison.cli.commands"
    return import_module(f"{folder}.{name}").app


class Commands(TyperGroup):
    """A group whose commands are names and summaries until one of them is called."""

    def __init__(self, **attributes: Any) -> None:
        """Put a stand-in in the place of each command."""
        super().__init__(**attributes)
        for name, summary in COMMANDS.items():
            self.commands[name] = TyperCommand(name, help=summary, rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that is called, and only that one."""
        name = args[0]
        if name in COMMANDS:
            loaded = get_command(load(name))
            loaded.help = loaded.help or COMMANDS[name]
            self.commands[name] = loaded
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run; what Garrison raises on purpose is told in plain lines, without a trace."""
        try:
            return super().invoke(ctx)
        except GarrisonError as error:
            fail(error, json=ctx.meta.get(JSON, False))
            raise typer.Exit(FAULT) from error


program = typer.Typer(
    cls=Commands,
    help="Guards an API: one policy states who may call what, how often and from where; one guard enforces it.",
    epilog="Every command reads ./garrison.toml and the environment named by GARRISON_ENV (production).",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"garrison {VERSION}")
        raise typer.Exit


@program.callback()
def _start(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Take the options that stand before every command."""
