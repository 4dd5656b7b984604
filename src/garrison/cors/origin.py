"""The grammar of an origin as browsers write it: scheme, host, port, and not a byte more.

Nothing here repairs: what a browser would not send byte for byte is no origin. URL parsers drop tabs, fold
case and ignore paths, and each of those has let a wrong page in.

Sources: Fetch standard, `Origin` header; URL standard, host parsing and serializing; RFC 6454 section 6.2.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["DEFAULT_PORTS", "LONGEST", "LONGEST_HOST", "Mistake", "Origin", "is_address", "is_loopback", "parse"]

LONGEST = 300
"""Bytes that an origin can have at most: scheme 32, `://`, host 253, port 6; anything longer is not looked at."""

LONGEST_HOST = 253
"""Octets of a host name in text form (RFC 1035 section 2.3.4)."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Ports that a browser leaves out."""

_ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]{0,31})://"
    r"(\[[0-9a-f:]{2,39}\]|(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63})"
    r"(?::([1-9][0-9]{0,4}))?"
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NUMERIC_SCHEMES = frozenset(("http", "https", "ws", "wss", "ftp"))
"""Schemes whose hosts are addresses when the last label is a number; an extension's id may begin with a digit."""


class Origin(NamedTuple):
    """The three parts of an origin."""

    scheme: str
    host: str
    """In lower case and ASCII; IPv6 in its brackets."""

    port: int
    """0 when it is left out, that is, the scheme's own."""


class Mistake(NamedTuple):
    """What is wrong with one word of a policy; its place is added by who found it."""

    rule: str
    text: str
    remedy: str


def parse(text: str) -> Origin | None:
    """Read one serialized origin.

    Args:
        text: The header's value as latin-1 text, untrusted.

    Returns:
        None for anything a browser does not send: `null`, a path, upper case, a default port, an address in
        another than its canonical form.
    """
    if len(text) > LONGEST:
        return None
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host, digits = match.groups()
    port = int(digits) if digits else 0
    if port > 65_535 or port == DEFAULT_PORTS.get(scheme, -1) or len(host) > LONGEST_HOST:
        return None
    return Origin(scheme, host, port) if _is_host(scheme, host) else None


def is_address(host: str) -> bool:
    """Tell whether the host is an address: IPv6 in brackets, or a name whose last label is a number."""
    return host.startswith("[") or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def is_loopback(host: str) -> bool:
    """Tell whether the host never leaves the machine: RFC 6761 `localhost` names, 127.0.0.0/8, `[::1]`."""
    if host == "localhost" or host.endswith(".localhost") or host == "[::1]":
        return True
    return host.startswith("127.") and _IPV4.fullmatch(host) is not None


def _is_host(scheme: str, host: str) -> bool:
    """Addresses must stand in the one form that browsers write."""
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    if scheme in _NUMERIC_SCHEMES and is_address(host):
        return _IPV4.fullmatch(host) is not None
    return True


def _is_ipv6(text: str) -> bool:
    """Compressed form only (RFC 5952); an IPv4 address in disguise is refused."""
    from ipaddress import AddressValueError, IPv6Address

    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    return address.ipv4_mapped is None and address.compressed == text
