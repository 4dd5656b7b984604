"""`garrison users`: make, invite and list the people who log in here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands, split
from garrison.cli.screen import instant, note, printable, rows, say, show
from garrison.errors import UsageError

if TYPE_CHECKING:
    from garrison.accounts.people import Invited
    from garrison.accounts.service import Service
    from garrison.policy.schema import Policy

__all__ = ["app", "create", "invite", "list_users", "register_line"]

app = commands()

_Scopes = Annotated[
    list[str] | None,
    typer.Option("--scopes", metavar="SCOPES", help="Rights, with commas between. [default: accounts.scopes]"),
]
_Admin = Annotated[bool, typer.Option("--admin", help="Add admin:*.")]

_DRAWN = 22
"""Characters of a drawn password: 130 bits."""


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
    lines = [
        (user.id, user.name, user.email, "yes" if user.active else "no", " ".join(user.scopes), instant(user.created))
        for user in found
    ]
    rows(("id", "name", "email", "active", "scopes", "created"), lines)


def _rights(service: Service, scopes: list[str] | None, *, admin: bool) -> tuple[str, ...]:
    from garrison.model.scope import is_scope

    given = service.settings.scopes if scopes is None else split(scopes)
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
