"""The only way out: GET from hosts that were named, to public addresses, over https, within bounds.

A server that fetches what somebody else can influence is an attacker's hand inside the network. So a host must
be listed, its name is resolved once and the connection goes to that very address, private and other special
addresses are refused, redirects are not followed, and time and size have caps.

`AwaitingFetch` is for a loop, `BlockingFetch` for threads; both are a `garrison.model.http.fetch.Fetch`.

Sources: OWASP SSRF Prevention; ASVS 5.0 V1.3.6; RFC 8725 section 3.10; IANA special-purpose address registries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garrison.egress.awaiting import AwaitingFetch
    from garrison.egress.blocking import BlockingFetch
    from garrison.egress.rules import Rules

__all__ = ["AwaitingFetch", "BlockingFetch", "Rules"]


_HOME = {"AwaitingFetch": "awaiting", "BlockingFetch": "blocking", "Rules": "rules"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: a loop or a TLS library only for whoever goes out (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{home}"), name)
