"""Where requests may go, and what they may cost.

Sources: RFC 3986 section 3; OWASP SSRF Prevention (allow lists, no parsing twice).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from garrison.egress.address import is_loopback, is_permitted
from garrison.errors import StoreError, UsageError
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ADDRESSES", "SIZE", "TIME", "Rules", "Target", "read_url"]

TIME = 5 * SECOND
"""Microseconds from the first look-up of the name to the last byte, all together."""

SIZE = 1 << 20
"""Most bytes of a body."""

ADDRESSES = 4
"""Addresses of one name that are tried."""

# One expression reads an address, and nothing reads it again: no user name, no fragment, no escape in the host, no
# blank, no backslash. Two readers of one address are how a check is passed and another host reached.
_HOST = r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]"
_URL = re.compile(rf"(https?)://({_HOST})(?::([0-9]{{1,5}}))?(/[!\x22$-\[\]-~]*)?", re.ASCII)
_LONGEST = 2048
_PORTS = {"https": 443, "http": 80}


class Target(NamedTuple):
    """An address that may be asked for."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """Host and port, as `Rules.hosts` lists them."""
        return self.host if self.port == _PORTS["https" if self.secure else "http"] else f"{self.host}:{self.port}"


def read_url(url: str) -> Target:
    """Take an address apart.

    Raises:
        UsageError: It is none that can be fetched here.
    """
    parts = _URL.fullmatch(url) if len(url) <= _LONGEST else None
    if parts is not None:
        scheme, host, written, path = parts.groups()
        port = int(written or _PORTS[scheme])
        if 0 < port < 1 << 16:
            return Target(scheme == "https", host, port, path or "/")
    msg = f"{url[:60]!r} is not an address that can be fetched, such as https://id.example.com/jwks"
    raise UsageError(msg)


class Rules(Struct, frozen=True, kw_only=True):
    """What a caller of `egress` may do."""

    hosts: tuple[str, ...]
    """Names that may be asked, in small letters; with `:port` for another port than the scheme's."""

    private: tuple[str, ...] = ()
    """Networks that may be reached although they are not public, such as `10.1.2.0/24`."""

    time: int = TIME
    size: int = SIZE

    dangerously_http_to_loopback: bool = False
    """Allow `http://` to this machine itself, for development."""

    def __post_init__(self) -> None:
        """Hold every part to its form.

        Raises:
            UsageError: A host is none, a network is none, or a cap is not positive.
        """
        try:
            networks = [ip_network(text) for text in self.private]
        except ValueError as error:
            msg = f"a private network is written like 10.1.2.0/24: {error}"
            raise UsageError(msg) from error
        if any(network.prefixlen == 0 for network in networks):
            msg = "a network that holds every address names none"
            raise UsageError(msg)
        if min(self.time, self.size) <= 0 or not all(_URL.fullmatch(f"https://{host}") for host in self.hosts):
            msg = "hosts are names in small letters, and the caps are positive"
            raise UsageError(msg)

    def target(self, url: str) -> Target:
        """Take an address apart.

        Raises:
            StoreError: It may not be asked for.
        """
        try:
            target = read_url(url)
        except UsageError as error:
            msg = "not an address that can be fetched here"
            raise StoreError(msg) from error
        if target.place not in self.hosts:
            msg = f"the host {target.host} is not on the list"
            raise StoreError(msg)
        if not target.secure and not self.dangerously_http_to_loopback:
            msg = "only https is fetched"
            raise StoreError(msg)
        return target

    def permitted(self, target: Target, addresses: Sequence[str]) -> Sequence[str]:
        """Give the addresses to try.

        All must be permitted: a name with a public and a private address is one that is being changed under us.

        Raises:
            StoreError: One is not, or there is none.
        """
        if not target.secure:
            good = all(map(is_loopback, addresses))
        else:
            networks: list[IPv4Network | IPv6Network] = [ip_network(text) for text in self.private]
            good = all(is_permitted(address, networks) for address in addresses)
        if not addresses or not good:
            msg = f"the host {target.host} is at no address that may be reached"
            raise StoreError(msg)
        return addresses[:ADDRESSES]
