"""`garrison users`: make, invite, list, disable and enable the people who log in here, and say what they may."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands, split
from garrison.cli.screen import instant, note, printable, rows, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from garrison.accounts.people import Invited
    from garrison.accounts.service import Service
    from garrison.accounts.user import User
    from garrison.credentials.key_service import By
    from garrison.model.http.refusal import Refusal
    from garrison.policy.schema import Policy

__all__ = [
    "app",
    "create",
    "disable",
    "enable",
    "invite",
    "list_users",
    "register_line",
    "scopes",
    "show_user",
]

app = commands()

_Who = Annotated[str, typer.Argument(metavar="USER", help="Name, address, or user:ID.")]

_Scopes = Annotated[
    list[str] | None,
    typer.Option("--scopes", metavar="SCOPES", help="Rights, with commas between. [default: accounts.scopes]"),
]
_Admin = Annotated[bool, typer.Option("--admin", help="Add admin:*.")]

_DRAWN = 22
"""Characters of a drawn password: 130 bits."""

_MOST_KEYS = 1_000
"""Keys of one user that are counted."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the user is called.")],
    email: Annotated[str, typer.Option("--email", metavar="ADDRESS", help="The user's address.")],
    scopes: _Scopes = None,
    admin: _Admin = False,
    generate: Annotated[bool, typer.Option("--generate", help="Draw a password and print it once.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Make a user. The password is asked for on the terminal; it is never an argument, which others could read."""
    from garrison.accounts.people import by_operator, create_user
    from garrison.accounts.user import public
    from garrison.cli.workspace import accounts_of, opened, refused
    from garrison.guard.drive import drive
    from garrison.model.http.refusal import Refusal
    from garrison.model.ids import random_id

    with opened(policy) as runtime:
        service = accounts_of(runtime)
        password = random_id(runtime.randomness, _DRAWN) if generate else _asked(from_stdin=password_stdin)
        rights, by = _rights(service, scopes, admin=admin), by_operator(runtime.clock.wall())
        user = drive(create_user(service, name, email, password, rights, by))
    if isinstance(user, Refusal):
        raise refused(user, json=json)
    drawn = {"password": password} if generate else {}
    if json:
        show({**public(user), **drawn})
        return
    say(f"{printable(user.name)} ({user.principal}) may {' '.join(user.scopes) or 'nothing yet'}")
    if generate:
        note("keep this password now, it is shown this once")
        say(password)


@app.command()
def invite(
    scopes: _Scopes = None,
    admin: _Admin = False,
    life: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long it lives.")] = "7d",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Make an invite: whoever registers with it first gets the rights, once.

    Standard output gets the invite alone; how to use it is told beside.
    """
    from garrison.accounts.people import by_operator
    from garrison.accounts.people import invite as make_invite
    from garrison.cli.workspace import accounts_of, opened
    from garrison.guard.drive import drive
    from garrison.model.units import duration

    lasting = duration(life)
    with opened(policy) as runtime:
        service, by = accounts_of(runtime), by_operator(runtime.clock.wall())
        made = drive(make_invite(service, _rights(service, scopes, admin=admin), by, lasting))
        _tell(made, runtime.policy, json=json)


@app.command("list")
def list_users(policy: PolicyFile = POLICY, json: Json = False) -> None:
    """List the users."""
    from garrison.accounts.user import public
    from garrison.cli.people import every_user
    from garrison.cli.workspace import accounts_of, opened

    with opened(policy) as runtime:
        accounts_of(runtime)
        found = list(every_user(runtime))
    if json:
        show([{**public(user), "active": user.active} for user in found])
        return
    # The whole principal, so that it can be pasted: a bare id could be the name that somebody else has taken.
    lines = [
        (user.principal, user.name, user.email, _state(user), " ".join(user.scopes), instant(user.created))
        for user in found
    ]
    rows(("user", "name", "email", "state", "scopes", "created"), lines)


@app.command("show")
def show_user(user: _Who, policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Show a user: what they may, and what they hold."""
    from garrison.accounts.user import public
    from garrison.cli.people import user_named
    from garrison.cli.workspace import accounts_of, opened
    from garrison.credentials.key_record import KEYS
    from garrison.guard.drive import drive
    from garrison.stores.page import page

    with opened(policy) as runtime:
        accounts_of(runtime)
        found = user_named(runtime, user)
        held = len(drive(page(runtime.driven_side.face, KEYS, "holder", found.principal, "", _MOST_KEYS)).records)
    if json:
        further = {"active": found.active, "password_changed": found.password_changed, "devices": len(found.devices)}
        show({**public(found), **further, "keys": held})
        return
    fields = {
        "user": found.principal,
        "name": found.name,
        "email": found.email,
        "state": _state(found),
        "scopes": " ".join(found.scopes) or "none",
        "created": instant(found.created),
        "password": f"changed {instant(found.password_changed)}",
        "known": f"{len(found.devices)} devices, {len(found.networks)} networks",
        "keys": str(held),
    }
    for name, text in fields.items():
        say(f"{name:<10}{printable(text)}")


@app.command()
def disable(user: _Who, policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Shut a user out: within a second no process takes their password, tokens or keys.

    Every session and refresh token ends for good; keys work again when the user is enabled.
    """
    from garrison.accounts.change import set_active

    _change(policy, user, lambda service, id, by: set_active(service, id, by, active=False), "is disabled", json=json)


@app.command()
def enable(user: _Who, policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Let a user in again, who then has to log in; their keys work as before."""
    from garrison.accounts.change import set_active

    _change(policy, user, lambda service, id, by: set_active(service, id, by, active=True), "is enabled", json=json)


@app.command("scopes")
def scopes(
    user: _Who,
    rights: Annotated[list[str] | None, typer.Argument(metavar="SCOPES", help="All of them.")] = None,
    admin: _Admin = False,
    none: Annotated[bool, typer.Option("--none", help="Take every right away.")] = False,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Say what a user may, all of it; within a second their tokens and keys carry no more than that."""
    from garrison.accounts.change import set_scopes

    if none == bool(rights or admin):
        msg = "give all the scopes that the user is to have, or --none"
        raise UsageError(msg)
    wanted = _scopes(split(rights), admin=admin)
    told = f"may {' '.join(sorted(wanted)) or 'nothing'}"
    _change(policy, user, lambda service, id, by: set_scopes(service, id, wanted, by), told, json=json)


def _state(user: User) -> str:
    return "active" if user.active else "disabled"


def _change(
    policy: Path,
    name: str,
    edit: Callable[[Service, str, By], Coroutine[None, None, User | Refusal]],
    done: str,
    *,
    json: bool,
) -> None:
    from garrison.accounts.people import by_operator
    from garrison.accounts.user import public
    from garrison.cli.people import user_named
    from garrison.cli.workspace import accounts_of, opened, refused
    from garrison.guard.drive import drive
    from garrison.model.http.refusal import Refusal

    with opened(policy) as runtime:
        service, by = accounts_of(runtime), by_operator(runtime.clock.wall())
        user = drive(edit(service, user_named(runtime, name).id, by))
    if isinstance(user, Refusal):
        raise refused(user, json=json)
    if json:
        show({**public(user), "active": user.active})
    else:
        say(f"{printable(user.name)} ({user.principal}) {done}")


def _rights(service: Service, scopes: list[str] | None, *, admin: bool) -> tuple[str, ...]:
    return _scopes(service.settings.scopes if scopes is None else split(scopes), admin=admin)


def _scopes(given: tuple[str, ...], *, admin: bool) -> tuple[str, ...]:
    from garrison.model.scope import is_scope

    for scope in given:
        if not is_scope(scope):
            msg = f"{scope!r} is no scope; write it like tasks:read or tasks:*"
            raise UsageError(msg)
    return (*given, "admin:*") if admin else given


def _asked(*, from_stdin: bool) -> str:
    """Ask for a password twice, unseen; or take the first line of what is piped in."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        msg = "there is no terminal to ask for the password on; give --password-stdin or --generate"
        raise UsageError(msg)
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


def _tell(made: Invited, policy: Policy, *, json: bool) -> None:
    line = register_line(policy, made.text)
    if json:
        show({"invite": made.text, "scopes": made.invite.scopes, "until": made.invite.until, "curl": line})
        return
    note(f"good until {instant(made.invite.until)} for {' '.join(made.invite.scopes) or 'no rights yet'}; use it with:")
    note(line)
    say(made.text)


def register_line(policy: Policy, invite: str, base: str = "") -> str:
    """Write the `curl` line that uses an invite.

    Args:
        policy: Says where the service stands.
        invite: The invite.
        base: Where it is reached; empty: over https at the first host of the policy.
    """
    import msgspec

    prefix = policy.accounts.prefix if policy.accounts else ""
    body = {"username": "NAME", "email": "ADDRESS", "password": "PASSWORD", "invite": invite}
    place = base or (f"https://{policy.hosts[0]}" if policy.hosts else "http://127.0.0.1:8000")
    written = msgspec.json.encode(body).decode()
    return f"curl -X POST {place}{prefix}/register -H 'content-type: application/json' -d '{written}'"
