"""The accounts of one deployment: what every journey needs, composed once from policy and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from garrison.accounts.device import digest, is_known
from garrison.accounts.fields import Rules
from garrison.accounts.throttle import Lane
from garrison.audit.codes import code_of
from garrison.crypto.password import Cost
from garrison.errors import UsageError
from garrison.limits import Limit
from garrison.model.event import Event
from garrison.model.http.challenge import scheme
from garrison.model.net import address_subject, wider
from garrison.policy.lint.accounts import LEAST_WORK
from garrison.policy.notation import exact

if TYPE_CHECKING:
    from garrison.accounts.passwords.hashing import Hashing
    from garrison.accounts.session import Sessions
    from garrison.accounts.user import User
    from garrison.credentials.key_service import By, KeyService
    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Policy
    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = ["PURPOSE", "Service", "Settings", "Source", "event"]

PURPOSE = "account-lookup"
"""The ring's purpose whose key hides names, addresses, devices and invites in the store."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the policy says about accounts, compiled."""

    rules: Rules
    open: bool
    """Whether anybody may make an account; otherwise an invite is needed."""

    scopes: tuple[str, ...]
    """What a new user may."""

    registrations: Limit
    failures: Limit
    failures_per_address: Limit
    cost: Cost
    """Of new password hashes."""

    challenge: bytes
    """What a 401 asks for (RFC 9110 section 15.5.2)."""

    secure: bool
    """Whether the device cookie is a `__Host-` cookie even where the server itself sees plain HTTP."""

    @classmethod
    def of(cls, policy: Policy) -> Settings:
        """Compile the policy's `[accounts]`.

        Raises:
            UsageError: There are none, a throttle is not exact, or password hashes would be too cheap.
        """
        accounts = policy.accounts
        if accounts is None:
            msg = "the policy has no [accounts]"
            raise UsageError(msg)
        development = policy.environment == "development"
        return cls(
            rules=Rules(
                accounts.username,
                accounts.username_length,
                accounts.password_length,
                policy.service,
                special_domains=development,
            ),
            open=accounts.register,
            scopes=accounts.scopes,
            registrations=exact(accounts.registrations),
            failures=exact(accounts.failures),
            failures_per_address=exact(accounts.failures_per_address),
            challenge=scheme("Bearer", policy.service),
            cost=_cost(accounts.hash_memory, accounts.hash_passes),
            secure=not development,
        )


class Source(Struct, frozen=True):
    """Where a login comes from, and whether its account knows the place."""

    device: str
    """Digest of the device's token; empty when it shows none."""

    network: str
    """Digest of the network around the address; empty when there is no address."""

    known_device: bool
    known_network: bool


class Service:
    """One for a process and a way of waiting."""

    __slots__ = ("_lookup_keys", "hashing", "keys", "news", "randomness", "records", "sessions", "settings")

    def __init__(
        self,
        settings: Settings,
        records: Records,
        ring: KeyRing,
        news: News,
        hashing: Hashing,
        sessions: Sessions,
        keys: KeyService,
        randomness: Randomness,
    ) -> None:
        """Put the parts together.

        Args:
            settings: The policy's.
            records: Where accounts are stored; the face for this way of waiting.
            ring: Root keys.
            news: Takes word of changed accounts to other processes.
            hashing: Does password work, in this way of waiting.
            sessions: Opens, renews and ends logins.
            keys: Makes and ends the users' API keys.
            randomness: `os.urandom`.
        """
        self.settings = settings
        self.records = records
        self.news = news
        self.hashing = hashing
        self.sessions = sessions
        self.keys = keys
        self.randomness = randomness
        self._lookup_keys = tuple(ring.key(PURPOSE, root) for root in ring.ids)

    def hidden(self, label: str, text: str) -> str:
        """Give the keyed digest under which something is kept that the store shall not show."""
        return digest(self._lookup_keys[0], label, text)

    def hidden_ever(self, label: str, text: str) -> tuple[str, ...]:
        """Give the digests under which it may be kept: of the current root key and of retired ones."""
        return tuple(digest(key, label, text) for key in self._lookup_keys)

    def source(self, user: User | None, device: str, address: str, now: int) -> Source:
        """Tell where a login comes from.

        Args:
            user: The account, or None when there is none.
            device: The device's token, or empty.
            address: Client address.
            now: Wall microseconds.
        """
        home = wider(address_subject(address))
        devices = self.hidden_ever("device", device) if device else ()
        networks = self.hidden_ever("network", home) if home else ()
        return Source(
            devices[0] if devices else "",
            networks[0] if networks else "",
            known_device=user is not None and any(is_known(user.devices, each, now) for each in devices),
            known_network=user is not None and any(is_known(user.networks, each, now) for each in networks),
        )

    def registrations(self, address: str) -> Lane:
        """Tell what a registration counts for: a hash of a password, and an answer that tells who is known."""
        subject = self.hidden("lane-registrations", address_subject(address))
        return Lane(subject, self.settings.registrations, "registrations", told=True)

    def lanes(self, folded: str, user: User | None, source: Source, address: str) -> tuple[Lane, ...]:
        """Tell what a try at a password counts for.

        A known device has a lane of its own and no other. Anybody else shares the lane of the name as typed, which
        tells nothing, with all strangers, or with the one network the account knows; and a silent lane of the
        account itself, so that name and address together give no more guesses than one of them.
        """
        failures = self.settings.failures
        if user is not None and source.known_device:
            return (Lane(self.hidden("lane-device", f"{user.id}\0{source.device}"), failures, "device"),)
        place = source.network if source.known_network else ""
        lanes = (
            Lane(self.hidden("lane-name", f"{folded}\0{place}"), failures, "account"),
            Lane(
                self.hidden("lane-address", address_subject(address)),
                self.settings.failures_per_address,
                "address",
            ),
        )
        if user is None:
            return lanes
        return (*lanes, Lane(self.hidden("lane-user", f"{user.id}\0{place}"), failures, "account", silent=True))


def event(code: str, by: By, subject: str, reason: str = "", **details: str | int | bool) -> Event:
    """Make the event of something done to an account.

    Args:
        code: From `garrison.audit.codes`; gives the severity.
        by: Who did it, when and from where.
        subject: What it was done to, by public name.
        reason: A stable code where the event's own says too little.
        **details: Anything further; never a secret.
    """
    return Event(
        code=code,
        at=by.now,
        actor=by.actor.id,
        subject=subject,
        severity=code_of(code).severity,
        reason=reason,
        address=by.address,
        correlation=by.correlation,
        details=details,
    )


def _cost(memory: int, passes: int) -> Cost:
    if memory * passes < LEAST_WORK:
        msg = f"accounts.hash_memory times hash_passes must be at least {LEAST_WORK}: 19 and 2"
        raise UsageError(msg)
    return Cost(memory=memory * 1024, passes=passes)
