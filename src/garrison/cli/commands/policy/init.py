"""`garrison init`: a first policy from the routes that are there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from garrison.cli.options import POLICY, AppName, Json, PolicyFile, commands
from garrison.cli.screen import counted, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.policy.found import FoundRoute

__all__ = ["app", "init"]

app = commands()

_OpenApi = Annotated[Path | None, typer.Option("--openapi", metavar="FILE", help="An OpenAPI document, JSON or YAML.")]
_Force = Annotated[bool, typer.Option("--force", help="Write over a policy that is there.")]
_Service = Annotated[str, typer.Option("--service", metavar="NAME", help="What is guarded. [default: the folder]")]


@app.command()
def init(
    application: AppName = "",
    openapi: _OpenApi = None,
    policy: PolicyFile = POLICY,
    service: _Service = "",
    force: _Force = False,
    json: Json = False,
) -> None:
    """Write a policy from an application or an OpenAPI document.

    Nothing is opened by guessing: what looks public stays closed, with a comment that says what to decide.
    """
    from garrison.policy.draft import draft

    routes = _routes(application, openapi)
    text = draft(routes, service or Path.cwd().name.lower())
    _write(policy, text, force=force)
    open_questions = text.count("\n# decide:")
    if json:
        show({"policy": str(policy), "routes": len(routes), "to_decide": open_questions})
        return
    decisions = f"{counted(open_questions, 'thing')} to decide, each marked with a comment"
    say(f"{policy}: {counted(len(routes), 'route')}, {decisions}")
    say(f"next: garrison check{f' --app {application}' if application else ''}")


def _routes(application: str, openapi: Path | None) -> Sequence[FoundRoute]:
    if bool(application) == (openapi is not None):
        msg = "say where the routes are: either --app MODULE:APP or --openapi FILE"
        raise UsageError(msg)
    if openapi is not None:
        from garrison.policy.openapi import from_openapi

        return from_openapi(_document(openapi))
    from garrison.adapters.routes import found_routes
    from garrison.cli.application import load_app

    return found_routes(load_app(application))


def _document(path: Path) -> Any:
    """Read an OpenAPI document.

    Raises:
        UsageError: It cannot be read, or it is neither JSON nor, where a reader is installed, YAML.
    """
    import msgspec

    try:
        text = path.read_text("utf-8")
        return msgspec.json.decode(text)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise UsageError(msg) from None
    except msgspec.DecodeError as error:
        try:
            return msgspec.yaml.decode(text)
        except ImportError:
            msg = f"{path} is not JSON ({error}); to read YAML, install PyYAML"
            raise UsageError(msg) from None
        except msgspec.DecodeError as worse:
            msg = f"{path} is neither JSON nor YAML: {worse}"
            raise UsageError(msg) from None


def _write(policy: Path, text: str, *, force: bool) -> None:
    """Write the file, or leave one that is there; no moment in between in which half of it stands there."""
    draft = policy.with_name(f".{policy.name}.{os.getpid()}")
    try:
        draft.write_text(text, "utf-8")
        if force:
            draft.replace(policy)
        else:
            os.link(draft, policy)
    except FileExistsError:
        msg = f"{policy} is there already; give --force to write over it, or --policy FILE to write another"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{policy} cannot be written: {error.strerror}"
        raise UsageError(msg) from None
    finally:
        draft.unlink(missing_ok=True)
