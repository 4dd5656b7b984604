"""Make accounts and invites: for the register endpoint, the command line and the first start.

An account is stored with its event, its sessions and the invite it used up in one commit, so that of two that
want one name, or one invite, exactly one gets it.

Sources: ASVS 5.0 6.4.1 (initial passwords), 6.5.1 (single use); NIST SP 800-63B-4 section 3.1.1.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.accounts.fields import Registration
from garrison.accounts.passwords.hashing import cost_name
from garrison.accounts.service import event
from garrison.accounts.user import USERS, User, acting, fold_email, fold_name
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.ids import random_id
from garrison.model.units import DAY
from garrison.stores.protocols import Consume, Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.accounts.service import Service
    from garrison.accounts.session import Opened
    from garrison.model.event import Event

__all__ = [
    "INVITES",
    "INVITE_LIFE",
    "MARKS",
    "Invite",
    "Invited",
    "Mark",
    "Seeded",
    "by_operator",
    "create_user",
    "find_invite",
    "invite",
    "make_user",
    "seed",
    "store_user",
]

INVITE_LIFE = 7 * DAY
"""Microseconds an invite lives where nothing else is said."""

_SEEDED = "seeded"
_ID_WIDTH = 16
_INVITE_WIDTH = 43
"""Characters of an invite: 256 bits."""

_PASSWORD_WIDTH = 22
"""Characters of a password drawn for somebody: 130 bits."""


class Invite(Record, frozen=True, kw_only=True):
    """Leave for one person to make an account."""

    id: str
    """Keyed digest of the invite's text, which is shown once."""

    name: str
    """Public, for the journal."""

    scopes: tuple[str, ...]
    """What the person may."""

    until: int
    """When it ends, wall microseconds."""


INVITES = Kind(name="invite", struct=Invite, expires="until")


class Mark(Record, frozen=True, kw_only=True):
    """Something that is done once per deployment."""

    id: str


MARKS = Kind(name="account_mark", struct=Mark)


class Invited(NamedTuple):
    """A new invite: the one time that its text is seen."""

    text: str
    invite: Invite


class Seeded(NamedTuple):
    """A user of the first start, to be printed once."""

    username: str
    email: str
    password: str
    key: str
    scopes: tuple[str, ...]


def by_operator(now: int) -> By:
    """Say that the command line does it."""
    return By(OPERATOR, now)


async def make_user(service: Service, wanted: Registration, scopes: Sequence[str], now: int) -> User | Refusal:
    """Make an account, not stored yet; refuses `busy` when too many passwords are being hashed.

    Args:
        service: The accounts.
        wanted: Checked by `Rules.read`.
        scopes: What the person may.
        now: Wall microseconds.
    """
    id = random_id(service.randomness, _ID_WIDTH)
    await service.hashing.announce(service.records)
    password = await service.hashing.hash(wanted.password, id)
    if isinstance(password, Refusal):
        return password
    return User(
        id=id,
        name=wanted.username,
        name_key=fold_name(wanted.username),
        email=wanted.email,
        email_key=fold_email(wanted.email),
        password=password,
        cost=cost_name(password),
        scopes=tuple(sorted(set(scopes))),
        created=now,
        password_changed=now,
    )


async def store_user(
    service: Service, user: User, by: By, opened: Opened | None = None, invite: Invite | None = None
) -> User | Refusal:
    """Store a new account, with its first session and in exchange for its invite, or nothing.

    Returns:
        The account; or `account_exists`, or `invite_refused` when somebody else used the invite first.
    """
    steps = [Consume(INVITES, invite.id)] if invite else []
    further = list(opened.steps) if opened else []
    made = _created(user, by, invite=invite.name if invite else "", session=opened.session if opened else "")
    outcome = await service.records.commit([*steps, Put(USERS, user), *further], [made])
    if outcome.done:
        stored: User = outcome.records[len(steps)]
        return stored
    if outcome.failed < len(steps):
        return refuse("invite_refused", "invite_used")
    return refuse("account_exists", outcome.condition)


async def create_user(
    service: Service, username: str, email: str, password: str, scopes: Sequence[str], by: By
) -> User | Refusal:
    """Make an account by hand, under the same rules as everybody's.

    Args:
        service: The accounts.
        username: The name.
        email: The address.
        password: What the person logs in with.
        scopes: What the person may; an admin has `admin:*`.
        by: Who makes it: `by_operator(now)` for the command line.

    Returns:
        The account; or 422 `body_invalid`, 409 `account_exists`, 503 `busy`.
    """
    wanted = service.settings.rules.read({"username": username, "email": email, "password": password})
    if isinstance(wanted, Refusal):
        return wanted
    user = await make_user(service, wanted, scopes, by.now)
    return user if isinstance(user, Refusal) else await store_user(service, user, by)


async def invite(service: Service, scopes: Sequence[str], by: By, life: int = INVITE_LIFE) -> Invited:
    """Make an invite: whoever registers with it gets the scopes, once.

    Args:
        service: The accounts.
        scopes: What the person may.
        by: Who invites.
        life: Microseconds until it ends.
    """
    text = random_id(service.randomness, _INVITE_WIDTH)
    made = Invite(
        id=service.hidden("invite", text),
        name=random_id(service.randomness, 8),
        scopes=tuple(sorted(set(scopes))),
        until=by.now + life,
    )
    told = event("authz_admin", by, f"invite:{made.name}", "user_invited", scopes=" ".join(made.scopes))
    await service.records.commit([Put(INVITES, made)], [told])
    return Invited(text, made)


async def find_invite(service: Service, text: str) -> Invite | None:
    """Find the invite of a text; it is used up only by `store_user`."""
    for digest in service.hidden_ever("invite", text) if text else ():
        found: Invite | None = await service.records.get(INVITES, digest)
        if found is not None:
            return found
    return None


async def seed(service: Service, now: int, admin: Sequence[str] = ("admin:*",)) -> tuple[Seeded, ...]:
    """Make an admin and a demo user at the first start in development, with a random password and a key each.

    Args:
        service: The accounts.
        now: Wall microseconds.
        admin: What the admin may besides what every user may.

    Returns:
        What to print, once; nothing when it was done before, here or in another process, or one of the names
        is taken.
    """
    if await service.records.get(MARKS, _SEEDED) is not None:
        return ()
    everybody = service.settings.scopes
    drawn: list[tuple[User, str]] = []
    for name, scopes in (("admin", (*everybody, *admin)), ("demo", everybody)):
        password = random_id(service.randomness, _PASSWORD_WIDTH)
        wanted = Registration(username=name, email=f"{name}@example.com", password=password)
        user = await make_user(service, wanted, scopes, now)
        if isinstance(user, Refusal):
            return ()
        drawn.append((user, password))
    events = [_created(user, by_operator(now)) for user, _ in drawn]
    steps = [Put(MARKS, Mark(id=_SEEDED)), *(Put(USERS, user) for user, _ in drawn)]
    if not (await service.records.commit(steps, events)).done:
        return ()
    return tuple([await _seeded(service, user, password, now) for user, password in drawn])


async def _seeded(service: Service, user: User, password: str, now: int) -> Seeded:
    order = NewKey(name=f"{user.name}, first start", scopes=user.scopes)
    key = await service.keys.create(order, by_operator(now), acting(user))
    return Seeded(user.name, user.email, password, "" if isinstance(key, Refusal) else key.text, user.scopes)


def _created(user: User, by: By, **details: str) -> Event:
    further = {name: value for name, value in details.items() if value}
    return event("user_created", by, user.principal, scopes=" ".join(user.scopes), **further)
