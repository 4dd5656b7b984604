"""Client addresses: what is one, whose it is, and which hop of a forwarded request to believe.

An address is kept as canonical text. An IPv4 address inside an IPv6 one, mapped (`::ffff:0:0/96`, RFC 4291
section 2.5.5.2) or translated (`64:ff9b::/96`, RFC 6052 section 2.1), is that IPv4 address, so that nobody has two.

A forwarding header is the word of whoever sent it. So it is read from the right, where our own proxies
write, and only as far as the addresses are theirs; the first that is not is the client.

This is the one module of the pure floor that imports `socket`, and only for `inet_pton` and `inet_ntop`.

Sources: RFC 4291, RFC 6052, RFC 7239 sections 4 to 6 and 8.1.
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "HOPS",
    "ForwardingHeader",
    "Networks",
    "Seen",
    "address_bytes",
    "address_subject",
    "around",
    "canonical",
    "client_address",
    "extent",
    "network_of",
    "wider",
]

ForwardingHeader: TypeAlias = Literal["x-forwarded-for", "forwarded"]
"""The one header that a policy may believe; all others are ignored."""

HOPS: Final = 8
"""Proxies in a row, at most, that are believed."""

_LONGEST_ADDRESS: Final = 64
"""Characters; an IPv6 address with a long zone has fewer."""

_LONGEST_ELEMENT: Final = 512
"""Bytes that one hop may write about itself; longer ones are no address."""

_REMEMBERED: Final = 4096
"""Addresses whose reading is remembered, in each cache."""

_EMBEDDED: Final = (bytes(10) + b"\xff\xff", b"\x00\x64\xff\x9b" + bytes(8))
"""Prefixes whose last four bytes are an IPv4 address: mapped, and translated (NAT64)."""

_UNIX: Final = "unix"
"""Stands among networks for a peer without an address."""

_DIGITS: Final = frozenset("0123456789")
_ZONE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-")
_OBFUSCATED_PORT: Final = _ZONE - {"~"}


class Seen(NamedTuple):
    """Who a request is from."""

    address: str
    """Canonical address; empty when the socket has none (a Unix socket)."""

    flagged: bool
    """The header said something that could not be believed; the address is the last hop that could."""


def canonical(text: str) -> str:
    """Write an address in its one form.

    Args:
        text: An IPv4 address in four decimal parts without leading zeros, or an IPv6 address; a zone
            (`%eth0`) is left out.

    Returns:
        The address; empty when the text is none.
    """
    # Only what may be an address is remembered, so that nobody fills the cache with long texts.
    return _canonical(text) if len(text) <= _LONGEST_ADDRESS else ""


def address_subject(address: str) -> str:
    """Tell whom a limit counts: an IPv4 address, or the /64 around an IPv6 address.

    Whoever has one IPv6 address commonly has all 2**64 of its network (RFC 6177), and could use a new one
    for each request.

    Args:
        address: From `client_address`.

    Returns:
        `203.0.113.7` or `2001:db8:1:2::/64`; empty for a text that is no address.
    """
    return _subject(address) if len(address) <= _LONGEST_ADDRESS else ""


@lru_cache(maxsize=_REMEMBERED)
def _canonical(text: str) -> str:
    return _text(address_bytes(text))


@lru_cache(maxsize=_REMEMBERED)
def _subject(address: str) -> str:
    packed = address_bytes(address)
    if len(packed) == 16:
        return f"{_text(packed[:8] + bytes(8))}/64"
    return _text(packed)


def wider(subject: str) -> str:
    """Name the network around a subject: the /24 of an IPv4 address, the /48 of a /64.

    Args:
        subject: From `address_subject`.

    Returns:
        `203.0.113.0/24` or `2001:db8:1::/48`; empty for any other text.
    """
    packed = address_bytes(subject.removesuffix("/64"))
    if len(packed) == 16:
        return f"{_text(packed[:6] + bytes(10))}/48"
    return f"{_text(packed[:3] + bytes(1))}/24" if packed else ""


def around(address: str, length: int) -> str:
    """Name the network of an IPv6 address with a prefix of so many bits; empty for any other text."""
    packed = address_bytes(address)
    if len(packed) != 16:
        return ""
    number = int.from_bytes(packed, "big") >> (128 - length) << (128 - length)
    return f"{_text(number.to_bytes(16, 'big'))}/{length}"


class Networks:
    """A set of networks, such as the addresses of one's own proxies; frozen."""

    __slots__ = ("_known", "_masks", "_unix", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        """Read networks in CIDR notation (RFC 4632), single addresses, and `unix`.

        Args:
            texts: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`, or `unix` for a peer without an address.

        Raises:
            UsageError: A text that is none of them, or an address with bits set beyond its prefix.
        """
        self.texts = tuple(texts)
        self._unix = _UNIX in self.texts
        self._masks = tuple({network_of(text) for text in self.texts if text != _UNIX})
        self._known: dict[str, bool] = {"": self._unix}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Networks:
        """Read networks; see the class."""
        return cls(texts)

    def contains(self, address: str) -> bool:
        """Tell whether an address lies in one of the networks.

        Args:
            address: Canonical; empty for a Unix socket, which only `unix` contains.
        """
        known = self._known.get(address)
        if known is None:
            if len(address) > _LONGEST_ADDRESS:
                return False
            packed = address_bytes(address)
            number, bits = int.from_bytes(packed, "big"), 8 * len(packed)
            known = any(width == bits and number & mask == base for width, mask, base in self._masks)
            if len(self._known) >= _REMEMBERED:
                # Starting afresh costs little and keeps a flood of addresses from filling the memory.
                self._known = {"": self._unix}
            self._known[address] = known
        return known

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __repr__(self) -> str:
        return f"Networks({list(self.texts)!r})"


def extent(text: str) -> tuple[int, int]:
    """Tell how much a network holds, as it is written for `Networks`.

    Returns:
        Bits of its addresses and of its prefix: 32 and 8 for `10.0.0.0/8`, and also for `::ffff:10.0.0.0/104`, which
        is the same; both 0 for `unix`.

    Raises:
        UsageError: A text that is none, or an address with bits set beyond its prefix.
    """
    if text == _UNIX:
        return 0, 0
    bits, mask, _ = network_of(text)
    return bits, mask.bit_count()


def client_address(
    peer: str, lines: Sequence[bytes], trusted: Networks, header: ForwardingHeader, hops: int = HOPS
) -> Seen:
    """Find who a request is from.

    Args:
        peer: Address of the socket's other end; empty for a Unix socket.
        lines: Every line of the one header that the policy names, in order, as received.
        trusted: The addresses of one's own proxies.
        header: Which header it is.
        hops: Proxies in a row that are believed, at most.

    Returns:
        The rightmost address that is not one of our proxies'. The last proxy's, flagged, when what it was
        told is no address, or when the row is longer than `hops`; the peer's when it is no proxy of ours.
    """
    here = canonical(peer)
    # A peer that is no address, and no Unix socket either, is nobody's proxy.
    if not lines or not trusted.contains(here) or (peer and not here):
        return Seen(here, bool(peer) and not here)
    node = _forwarded_for if header == "forwarded" else _node
    left = hops
    for line in reversed(lines):
        # Quoted strings do not hide commas here (RFC 9110 section 5.6.1): who writes on the left could open a quote
        # that swallows what our proxy writes on the right.
        elements = line.rsplit(b",", left)
        more = len(elements) > left
        for element in reversed(elements[1:] if more else elements):
            left -= 1
            address = node(element) if len(element) <= _LONGEST_ELEMENT else ""
            if address is None:
                continue
            if not address:
                return Seen(here, True)
            if not trusted.contains(address):
                return Seen(address, False)
            here = address
        if more:
            return Seen(here, True)
    return Seen(here, False)


@lru_cache(maxsize=_REMEMBERED)
def _node(element: bytes) -> str | None:
    """Read one hop: an address, with or without brackets and port; empty for anything else, None for nothing."""
    try:
        text = element.decode("ascii").strip(" \t")
    except UnicodeDecodeError:
        return ""
    if not text:
        return None
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        return canonical(text) if bracket and ":" in text and _is_port(port) else ""
    if text.count(":") == 1:
        text, _, port = text.partition(":")
        return canonical(text) if _is_port(f":{port}") else ""
    return canonical(text)


@lru_cache(maxsize=_REMEMBERED)
def _forwarded_for(element: bytes) -> str | None:
    """Read the `for` of one element of `Forwarded` (RFC 7239 section 4); empty when there is not exactly one."""
    if not element.strip(b" \t"):
        return None
    found = []
    for pair in element.split(b";"):
        name, equals, value = pair.strip(b" \t").partition(b"=")
        if equals and name.lower() == b"for":
            found.append(value)
    if len(found) != 1:
        return ""
    value = found[0]
    if value[:1] == b'"':
        # Nothing in an address needs a backslash, and only what is quoted may hold a colon.
        value = value[1:-1] if len(value) > 2 and value[-1:] == b'"' and b'"' not in value[1:-1] else b""
    elif b":" in value:
        value = b""
    return _node(value) or ""


def _is_port(text: str) -> bool:
    """Tell whether what follows an address is nothing, or a port, hidden or not (RFC 7239 section 6.2)."""
    if not text:
        return True
    port = text[1:]
    if text[0] != ":" or not port or len(port) > 32:
        return False
    if port[0] == "_":
        return len(port) > 1 and _OBFUSCATED_PORT.issuperset(port)
    return len(port) <= 5 and _DIGITS.issuperset(port)


def address_bytes(text: str) -> bytes:
    """Read an address into 4 or 16 bytes; none for any other text. IPv4 inside IPv6 is IPv4."""
    if len(text) > _LONGEST_ADDRESS:
        return b""
    address, percent, zone = text.partition("%")
    if percent and not (zone and ":" in address and _ZONE.issuperset(zone)):
        return b""
    packed = _bytes(address)
    return packed[12:] if packed.startswith(_EMBEDDED) else packed


def _bytes(address: str) -> bytes:
    """Read an address as it is written; none for any other text."""
    try:
        if ":" not in address:
            return _packed4(address)
        packed = inet_pton(AF_INET6, address)
        return packed if "." not in address or _packed4(address.rpartition(":")[2]) else b""
    except (OSError, ValueError):
        return b""


def _packed4(text: str) -> bytes:
    """Read four decimal parts. A leading zero is refused: some read it as octal, and two readers are a hole."""
    packed = inet_pton(AF_INET, text)
    return packed if inet_ntop(AF_INET, packed) == text else b""


def _text(packed: bytes) -> str:
    if not packed:
        return ""
    return inet_ntop(AF_INET if len(packed) == 4 else AF_INET6, packed)


def network_of(text: str) -> tuple[int, int, int]:
    """Read a network into its width, mask and base."""
    address, slash, length = text.partition("/")
    packed = _bytes(address)
    bits = 8 * len(packed)
    if not packed or (slash and not _is_length(length, bits)):
        raise UsageError(f"{text[:60]!r} is not a network such as 10.0.0.0/8 or 2001:db8::/32")
    free = bits - int(length) if slash else 0
    if packed.startswith(_EMBEDDED) and free <= 32:
        packed, bits = packed[12:], 32
    mask = (1 << bits) - (1 << free)
    base = int.from_bytes(packed, "big")
    if base & mask != base:
        raise UsageError(f"{text[:60]!r} has bits set beyond its prefix")
    return bits, mask, base


def _is_length(text: str, most: int) -> bool:
    return 0 < len(text) <= 3 and _DIGITS.issuperset(text) and str(int(text)) == text and int(text) <= most
