"""Which hosts are served: a request for any other name is answered 421, before anything else is looked at.

Without this, a page of a rebound DNS name reaches an API on loopback, and a forged Host poisons every link
built from it (RFC 9110 section 7.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.model.http.request import Request

__all__ = ["LOOPBACK", "Hosts"]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""What is served when the policy lists no host."""

_REMEMBERED = 1_024
"""Most spellings (host with a port) remembered; a caller may choose the port freely."""


class Hosts:
    """The served hosts, compiled: the port does not matter, the case neither."""

    __slots__ = ("_names", "_spellings")

    def __init__(self, names: Iterable[str]) -> None:
        """Keep the names.

        Args:
            names: Host names or addresses (IPv6 in brackets), without port; none: loopback only.
        """
        self._names = frozenset(name.lower().encode("ascii") for name in names) or frozenset(
            name.encode("ascii") for name in LOOPBACK
        )
        self._spellings = set(self._names)

    def serve(self, request: Request) -> bool:
        """Tell whether the request names exactly one host, and a served one."""
        host = request.fields.get(b"host")
        if host is None or b"host" in request.repeated:
            return False
        if host in self._spellings:
            return True
        if _without_port(host.lower()) not in self._names:
            return False
        if len(self._spellings) < _REMEMBERED:
            self._spellings.add(host)
        return True


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    if colon and port.isdigit() and len(port) <= 5 and (b":" not in name or name.endswith(b"]")):
        return name
    return host
