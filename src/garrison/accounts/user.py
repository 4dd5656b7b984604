"""A person with an account: the stored record, how it is found, and what its owner may now.

Names and addresses are unique in a folded form, so that `Ada`, `ADA` and a full-width `Ada` are one account.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email

from garrison.accounts.device import Seen
from garrison.credentials.protocol import Owner
from garrison.model.principal import Principal, principal_id
from garrison.model.units import instant_text
from garrison.stores.protocols import Kind, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = [
    "LONGEST_EMAIL",
    "MOST_REMEMBERED",
    "USERS",
    "User",
    "UserOwners",
    "acting",
    "find_login",
    "fold_email",
    "fold_name",
    "public",
]

LONGEST_EMAIL = 254
"""Characters of an address (RFC 5321 section 4.5.3.1.3: 256 with its angle brackets)."""

MOST_REMEMBERED = 50_000
"""Owners whose rights are remembered; half of them are forgotten when there are more."""


_UNKNOWN = Owner(frozenset(), active=False)
"""Stands for an owner that is not remembered; None is remembered, too."""


class User(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One account."""

    id: str
    """Never changes; `sub` of the account's tokens."""

    name: str
    """As given."""

    name_key: str
    """Folded; unique."""

    email: str
    """As given, in normal form."""

    email_key: str
    """Folded; unique."""

    password: str
    """Sealed hash, `garrison.crypto.password`."""

    cost: str
    """What the hash costs, `m=19456,t=2,p=1`; empty when there is no password."""

    scopes: tuple[str, ...] = ()
    """What the person may."""

    active: bool = True
    """Whether the person may log in and use what they hold."""

    epoch: int = 0
    """Counted up by a changed password and by `revoke_all`: whatever was issued before it ends."""

    created: int
    """Wall microseconds."""

    password_changed: int
    """Wall microseconds."""

    devices: tuple[Seen, ...] = ()
    """Devices the person logged in from, newest first."""

    networks: tuple[Seen, ...] = ()
    """Networks the person logged in from, newest first."""

    @property
    def principal(self) -> str:
        """The account's `Principal.id`."""
        return principal_id("user", self.id)


USERS = Kind(name="user", struct=User, indexes=("cost",), unique=("name_key", "email_key"))


def acting(user: User) -> Principal:
    """Give the person as who acts, without a credential: for events and for what is made in their name."""
    return Principal(subject=user.id, kind="user", scopes=frozenset(user.scopes))


def fold_name(name: str) -> str:
    """Give the form in which two names are the same: compatibility and case folded (Unicode TR 36, TR 15)."""
    return normalize("NFKC", normalize("NFKC", name).casefold())


def fold_email(email: str) -> str:
    """Give the form in which two addresses are the same: case folded, the domain in its ASCII form.

    A text that is no address is folded like a name: it is nobody's, but counts tries like an address.
    """
    if len(email) <= LONGEST_EMAIL:
        try:
            read = validate_email(email, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            return fold_name(email)
        return f"{fold_name(read.local_part)}@{read.ascii_domain or fold_name(read.domain)}"
    return fold_name(email[:LONGEST_EMAIL])


async def find_login(records: Records, folded: str) -> User | None:
    """Find the account of a folded name or address; only an address has an `@`."""
    index = "email_key" if "@" in folded else "name_key"
    found = await records.find(USERS, index, folded, "", 1)
    return found[0] if found else None


def public(user: User) -> dict[str, Any]:
    """Show an account to its owner."""
    return {
        "id": user.id,
        "username": user.name,
        "email": user.email,
        "scopes": list(user.scopes),
        "created_at": instant_text(user.created),
    }


class UserOwners:
    """Tells `garrison.credentials` what an account may now; remembers it while the news is fresh."""

    __slots__ = ("__weakref__", "_changes", "_known", "_lock", "_monotonic", "_news", "_records")

    def __init__(self, records: Records, news: News, monotonic: Callable[[], int]) -> None:
        """Listen for changes.

        Args:
            records: The store.
            news: Tells of changed accounts (topic `subject`).
            monotonic: Reads the clock by which news is fresh, microseconds.
        """
        self._records = records
        self._news = news
        self._monotonic = monotonic
        self._known: dict[str, Owner | None] = {}
        self._changes = 0
        self._lock = Lock()
        news.listen("subject", self._heard)

    async def owner(self, principal_id: str) -> Owner | None:
        """Tell what the account may now; None when there is none.

        Raises:
            StoreError: It is not remembered, or too old to be trusted, and the store could not answer.
        """
        known = self._known.get(principal_id, _UNKNOWN)
        if known is not _UNKNOWN and self._news.fresh(self._monotonic()):
            return known
        changes = self._changes
        owner = await self._read(principal_id)
        with self._lock:
            # What was read while something changed may be older than the change: used once, not remembered.
            if changes == self._changes:
                self._remember(principal_id, owner)
        return owner

    async def _read(self, principal: str) -> Owner | None:
        kind, _, subject = principal.partition(":")
        user: User | None = await self._records.get(USERS, subject) if kind == "user" else None
        if user is None or user.principal != principal:
            return None
        return Owner(frozenset(user.scopes), user.active, user.epoch)

    def _remember(self, principal: str, owner: Owner | None) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known = dict(list(self._known.items())[MOST_REMEMBERED // 2 :])
        self._known[principal] = owner

    def _heard(self, principal: str, _: int) -> None:
        with self._lock:
            self._changes += 1
            self._known.pop(principal, None)
