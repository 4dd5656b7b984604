"""The pattern language for origins, on purpose tiny: an exact origin, a leading `*.`, a port `:*`, or `*` alone.

No regular expressions: a dot that means any byte, a missing anchor or a `$` before a newline has opened more
APIs than any other mistake. `*.` stands for one label or more; the base itself is not included.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from garrison.cors.origin import DEFAULT_PORTS, LONGEST, LONGEST_HOST, Mistake, is_address, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ANY", "ANY_PORT", "Matcher", "Pattern", "known_scheme", "read"]

ANY_PORT = -1
"""Port of a pattern that ends in `:*`."""

_OPAQUE = frozenset(("about", "blob", "data", "file", "filesystem", "javascript", "null"))
"""Schemes whose pages send `Origin: null`, which every attacker can send as well."""

_NEVER = {"ws": "http", "wss": "https", "ftp": "https", "ftps": "https"}
"""Schemes that no page has, and which one is meant. Browsers have opened no `ftp:` page since 2021."""

_SHELLS = frozenset(("app", "capacitor", "electron", "ionic", "tauri"))
"""Schemes under which hybrid apps serve their own pages."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,31}")
_SPACE = re.compile(r"[\x00-\x20\x7f,\x80-\xa0]")
_REGEX = re.compile(r"[\^$\\|(){}]|(?:^|/)\.\*|\.\+|\[[^:\]]*\]")
_HOST_BYTES = re.compile(r"[a-z0-9_.-]*")


class Pattern(NamedTuple):
    """One entry of a policy's origins, read."""

    text: str
    """As written, which is also the canonical form."""

    scheme: str
    host: str
    """The host, or the base that `*.` stands before."""

    port: int
    """0: the scheme's own; `ANY_PORT`: any."""

    below: bool
    """Whether it means the hosts below `host`."""

    @property
    def exact(self) -> bool:
        """Whether it names one origin."""
        return not self.below and self.port != ANY_PORT


ANY = Pattern("*", "", "", ANY_PORT, below=True)
"""Every origin, `null` included: for public data without credentials."""


def read(text: str) -> Pattern | Mistake:
    """Read one entry of `origins`.

    Returns:
        The pattern, or what is wrong with it and what to write instead.
    """
    if text == "*":
        return ANY
    scheme, separator, rest = text.partition("://")
    below, any_port = rest.startswith("*."), rest.endswith(":*")
    host = rest[2 if below else 0 : -2 if any_port else None]
    origin = parse(f"{scheme}{separator}{host}")
    if origin is None or scheme in _OPAQUE or scheme in _NEVER:
        return _mistake(text)
    if (any_port and origin.port) or (below and is_address(origin.host)):
        return _mistake(text)
    return Pattern(text, scheme, origin.host, ANY_PORT if any_port else origin.port, below)


def known_scheme(scheme: str) -> bool:
    """Tell whether pages of a scheme are known to exist: the web's, those of extensions and of hybrid apps.

    Apps choose freely, so another one is no mistake; `htps` is.
    """
    return scheme in DEFAULT_PORTS or scheme in _SHELLS or scheme.endswith("-extension")


class Matcher:
    """Patterns compiled for lookups: the cost does not grow with their number."""

    __slots__ = ("_any_port", "_below", "_depths", "_patterned", "any", "exact")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        """Sort the patterns into sets."""
        patterns = tuple(patterns)
        self.any = ANY in patterns
        self.exact = frozenset(p.text.encode("ascii") for p in patterns if p.exact)
        self._any_port = frozenset((p.scheme, p.host) for p in patterns if not p.below and not p.exact)
        self._below = frozenset((p.scheme, p.port, p.host) for p in patterns if p.below and p is not ANY)
        self._depths = tuple(sorted({host.count(".") + 1 for _, _, host in self._below}))
        self._patterned = bool(self._any_port or self._below)

    def matches(self, origin: bytes) -> bool:
        """Tell whether the origin is covered: byte for byte, or read by the grammar and then by a pattern.

        Args:
            origin: The header's value, untrusted; two lines joined by a comma never match.
        """
        return self.any or origin in self.exact or (self._patterned and self._by_pattern(origin))

    def _by_pattern(self, origin: bytes) -> bool:
        if len(origin) > LONGEST:
            return False
        parsed = parse(origin.decode("latin-1"))
        if parsed is None:
            return False
        scheme, host, port = parsed
        if (scheme, host) in self._any_port:
            return True
        for depth in self._depths:
            # Only as many labels are cut off as some base has: a host of a hundred labels costs no more.
            first, *base = host.rsplit(".", depth)
            suffix = ".".join(base)
            if (
                len(base) == depth
                and first
                and not self._below.isdisjoint(((scheme, port, suffix), (scheme, ANY_PORT, suffix)))
            ):
                return True
        return False


def _mistake(text: str) -> Mistake:
    """Name the first thing that is wrong; order matters, since one slip breaks several rules."""
    scheme, separator, rest = text.partition("://")
    return (
        _wrong_bytes(text)
        or _not_a_pattern(text)
        or _wrong_scheme(text, scheme if separator else "")
        or _more_than_an_origin(text, rest)
        or _wrong_case(text)
        or _wrong_host(text, scheme, *_split_port(rest))
    )


def _wrong_bytes(text: str) -> Mistake | None:
    if not text:
        return Mistake("GP105", "an empty text is no origin", "Remove it, or write scheme://host")
    if _SPACE.search(text):
        remedy = "Write one origin per entry, without spaces"
        return Mistake("GP107", f"{text[:80]!r} contains a space, a comma or a control character", remedy)
    if not text.isascii():
        return Mistake("GP108", f"{text[:80]!r} is not ASCII", f"Write {_a_label(text)}")
    return None


def _not_a_pattern(text: str) -> Mistake | None:
    if _REGEX.search(text):
        remedy = "Write https://*.example.com for the hosts below one name, or list the origins"
        return Mistake("GP113", f"{text[:80]!r} looks like a regular expression; there are none here", remedy)
    return None


def _wrong_scheme(text: str, scheme: str) -> Mistake | None:
    if text.lower() == "null" or scheme.lower() in _OPAQUE or text.lower().startswith(("file:", "data:", "about:")):
        remedy = "Serve those pages from an origin of their own and list that"
        return Mistake("GP104", f"{text[:80]!r} means `Origin: null`, which any sandboxed frame sends", remedy)
    if "*" in scheme:
        return Mistake("GP112", f"{text[:80]!r} has a star in the scheme", "Write the scheme, https if in doubt")
    if not scheme:
        return Mistake("GP105", f"{text[:80]!r} has no scheme", f"Write https://{text[:80]}")
    if scheme in _NEVER:
        remedy = f"Write {_NEVER[scheme]}{text[len(scheme) : 80]} for the page itself"
        return Mistake("GP105", f"no page has the scheme {scheme!r}", remedy)
    if not _SCHEME.fullmatch(scheme):
        return Mistake("GP105", f"{scheme[:40]!r} is no scheme in lower case", f"Write {text.lower()[:80]}")
    return None


def _more_than_an_origin(text: str, rest: str) -> Mistake | None:
    if "@" in rest:
        return Mistake("GP106", f"{text[:80]!r} contains a user", "Write scheme://host[:port]")
    if any(letter in rest for letter in "/?#"):
        wanted = text[: len(text) - len(rest)] + re.split(r"[/?#]", rest)[0]
        return Mistake("GP106", f"{text[:80]!r} has more than scheme, host and port", f"Write {wanted[:80].lower()}")
    return None


def _wrong_case(text: str) -> Mistake | None:
    if text != text.lower():
        return Mistake("GP109", f"{text[:80]!r} has upper case, which no browser sends", f"Write {text.lower()[:80]}")
    return None


def _split_port(rest: str) -> tuple[str, str | None]:
    """Split the host from what stands after the last colon outside brackets; None: no colon."""
    bracket = rest.rfind("]")
    colon = rest.find(":", bracket + 1) if bracket >= 0 or not rest.startswith("[") else -1
    return (rest, None) if colon < 0 else (rest[:colon], rest[colon + 1 :])


def _wrong_host(text: str, scheme: str, host: str, port: str | None) -> Mistake:
    base = host.removeprefix("*.")
    if "*" in base or (port is not None and "*" in port and port != "*"):
        remedy = "A star stands only as the whole first label (https://*.example.com), as the whole port, or alone"
        return Mistake("GP112", f"{text[:80]!r} has a star in the wrong place", remedy)
    if base != host and is_address(base):
        return Mistake("GP112", f"{text[:80]!r}: an address has nothing below it", "List each address")
    if is_address(base) and parse(f"{scheme}://{base}") is None:
        remedy = "Write IPv4 as four decimal numbers, IPv6 compressed, in lower case and in brackets, without a zone"
        return Mistake("GP111", f"{text[:80]!r} has an address that no browser writes so", remedy)
    return _wrong_name(text, base) or _wrong_port(text, scheme, port)


def _wrong_name(text: str, host: str) -> Mistake | None:
    if host.endswith(".") and host != ".":
        return Mistake("GP109", f"{text[:80]!r} ends its host in a dot", f"Write {text.replace(host, host[:-1])[:80]}")
    if not all(host.split(".")):
        return Mistake("GP109", f"{text[:80]!r} has an empty label", "Write the whole host name")
    if len(host) > LONGEST_HOST or any(len(label) > 63 for label in host.split(".")):
        remedy = "A host name has at most 253 characters, a label 63"
        return Mistake("GP109", f"{text[:40]!r}… is too long", remedy)
    if not host.startswith("[") and not _HOST_BYTES.fullmatch(host):
        return Mistake("GP109", f"{text[:80]!r} has characters that no host name has", "Use letters, digits, - and _")
    return None


def _wrong_port(text: str, scheme: str, port: str | None) -> Mistake:
    """What is left when everything before the port is sound."""
    if port == str(DEFAULT_PORTS.get(scheme, "")):
        remedy = f"Write {text[: -len(port) - 1]}"
        return Mistake("GP110", f"{text[:80]!r} names the default port, which browsers leave out", remedy)
    return Mistake("GP110", f"{text[:80]!r} has no valid port", "Write 1 to 65535 without leading zero, or :*")


def _a_label(text: str) -> str:
    """What the Unicode host is called on the wire; a suggestion, so a failure only makes it vaguer."""
    scheme, separator, host = text.partition("://")
    try:
        return scheme + separator + host.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return "the host's ASCII form, which begins with xn--"
