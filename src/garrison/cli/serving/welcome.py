"""The first start: in development two users to try everything with; elsewhere the way to the first administrator.

Passwords and keys are printed once, to the terminal of whoever started the server. Outside development nothing
secret is printed: what a service writes goes into logs that many people read.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from garrison.accounts.people import seed
from garrison.accounts.user import USERS
from garrison.cli.options import POLICY
from garrison.cli.screen import place, printable, say
from garrison.guard.drive import drive
from garrison.policy.table import demands

if TYPE_CHECKING:
    from garrison.accounts.people import Seeded
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime

__all__ = ["Greeting", "as_json", "docs_page", "greet", "welcome"]


class Greeting(NamedTuple):
    """What is told at a start."""

    people: tuple[Seeded, ...] = ()
    """Users that were just made, with their passwords and keys: the one time that these are seen."""

    tries: tuple[str, ...] = ()
    """Lines to paste into a shell."""

    invite: str = ""
    """The command that invites the first administrator; empty: there are users already."""


def welcome(runtime: Runtime, base: str) -> Greeting:
    """Make what the first start needs; at later starts there is nothing to tell.

    Args:
        runtime: Serving.
        base: Where the service is reached, `http://127.0.0.1:8000`.
    """
    service = runtime.driven_side.accounts
    if service is None:
        return Greeting()
    if runtime.policy.environment == "development":
        made = drive(seed(service, runtime.clock.wall()))
        people = tuple(person for person in made if person.password)
        return Greeting(people, tuple(_tries(runtime.policy, people[-1], base))) if people else Greeting()
    if drive(service.records.find(USERS, "", "", "", 1)):
        return Greeting()
    named = "" if runtime.path is None or place(runtime.path) == str(POLICY) else place(runtime.path)
    named = f" --policy {shlex.quote(named)}" if named else ""
    return Greeting(invite=f"{_program()} users invite --admin{named}")


def _program() -> str:
    """Write this program as a shell in this folder finds it: by its name, by its path, or as the module it was."""
    started = Path(sys.argv[0]).absolute()
    if started.name == "__main__.py":
        return f"{shlex.quote(place(Path(sys.executable)))} -m garrison"
    return started.name if which(started.name) == str(started) else shlex.quote(place(started))


def as_json(greeting: Greeting) -> dict[str, Any]:
    """Give what is to be told, by name."""
    return {**greeting._asdict(), "people": [person._asdict() for person in greeting.people]}


def greet(greeting: Greeting) -> None:
    """Print what is to be told."""
    if greeting.people:
        say("First start: two users were made. Their passwords and keys are shown this once.")
        for person in greeting.people:
            say()
            say(f"  {person.username}  {person.email}  may {' '.join(person.scopes) or 'nothing yet'}")
            say(f"    password  {person.password}")
            say(f"    key       {person.key}")
        say()
        say("Try it:")
        for line in greeting.tries:
            say(f"  {line}")
        say()
    if greeting.invite:
        say("Nobody has an account yet. Invite the first administrator, in this folder and environment:")
        say(f"  {printable(greeting.invite)}")
        say()


def docs_page(policy: Policy) -> str:
    """Find the path of the documentation page; empty: the policy has none."""
    for name, route in policy.routes.items():
        path = name.partition(" ")[2]
        if route.headers == "docs" and "{" not in path and not path.endswith((".json", "oauth2-redirect")):
            return path
    return ""


def _tries(policy: Policy, person: Seeded, base: str) -> list[str]:
    """Write `curl` lines that work as they stand."""
    accounts = policy.accounts
    assert accounts is not None  # noqa: S101  # somebody was seeded
    lines = []
    path = _plain_read(policy, person.scopes)
    if path and person.key:
        lines.append(f"curl -H '{policy.keys.header}: {person.key}' {base}{path}")
    body = msgspec.json.encode({"login": person.username, "password": person.password}).decode()
    fields = "-H 'content-type: application/json'"
    lines.append(f"curl -X POST {base}{accounts.prefix}/login {fields} -d '{body}'")
    return lines


def _plain_read(policy: Policy, scopes: tuple[str, ...]) -> str:
    """Find a path that the person may read with a key and that needs no parameter."""
    from garrison.model.scope import missing

    for row in demands(policy):
        plain = "GET" in row.parsed.methods and not row.parameters and not row.whole.public
        kinds = row.whole.credentials
        keyed = kinds is None or (isinstance(kinds, tuple) and "key" in kinds)
        if plain and keyed and not missing(frozenset(scopes), row.whole.scopes or ()):
            return row.parsed.template
    return ""
