"""Find users for commands: by name, by address, or by the id that records show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.accounts.user import USERS, acting, find_login, fold_email, fold_name
from garrison.cli.screen import note, printable
from garrison.errors import UsageError
from garrison.guard.drive import drive
from garrison.stores.page import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.accounts.user import User
    from garrison.model.principal import Principal
    from garrison.runtime.runtime import Runtime

__all__ = ["every_user", "find_user", "user_named"]

_PAGE = 100


def user_named(runtime: Runtime, name: str) -> User:
    """Find a user by name, by address, or by `user:ID`.

    Raises:
        UsageError: There is none.
    """
    face = runtime.driven_side.face
    kind, _, subject = name.partition(":")
    if kind == "user":
        found: User | None = drive(face.get(USERS, subject))
    else:
        found = drive(find_login(face, fold_email(name) if "@" in name else fold_name(name)))
    if found is None:
        msg = f"there is no user {name!r}; see: garrison users list"
        raise UsageError(msg)
    return found


def find_user(runtime: Runtime, name: str) -> Principal:
    """Give who acts when a user does; see `user_named`."""
    return acting(user_named(runtime, name))


def every_user(runtime: Runtime) -> Iterator[User]:
    """List all users, ordered by id, a page at a time; one that cannot be read is named and left out."""
    found = drive(page(runtime.driven_side.face, USERS, "", "", "", _PAGE))
    while found.last:
        yield from found.records
        if found.unreadable:
            note(f"garrison: the stored user {printable(found.unreadable)} cannot be read")
        found = drive(page(runtime.driven_side.face, USERS, "", "", found.last, _PAGE))
