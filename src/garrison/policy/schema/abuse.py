"""What is done about callers that behave like attackers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from garrison.policy.schema.fields import Duration, Network, Text
from garrison.policy.schema.part import Part

__all__ = ["Abuse", "Weights"]

_Points = Annotated[int, Meta(ge=0, le=100_000)]


class Weights(Part, frozen=True):
    """Points that an event gives to the network it comes from; 0: none."""

    login: _Points = 5
    """A login was refused."""

    stuffing: _Points = 20
    """A login was refused for one more account than three: lists of stolen passwords are tried like that."""

    key: _Points = 10
    """An API key that does not exist was presented, or one with a wrong secret."""

    token: _Points = 50
    """A token whose signature, algorithm or key is not right."""

    canary: _Points = 300
    """An API key that exists only to be stolen."""

    malformed: _Points = 2
    """A request or a credential that could not be read."""

    missing: _Points = 1
    """A route that does not exist."""

    honeypot: _Points = 100
    """A path of `honeypots`."""

    limit: _Points = 1
    """A request beyond a limit: whoever heeds `Retry-After` makes none."""

    scanner: _Points = 25
    """A refused request of a tool of `scanners`."""


class Abuse(Part, frozen=True):
    """When a network is shut out, and for how long. Without this table nobody is, but by hand."""

    enough: Annotated[int, Meta(ge=1, le=1_000_000)] = 300
    """Points that shut a network out (an address, or a /64 of IPv6); as many again for each account, up to 20, that
    acts behind it."""

    settled: Duration = "1h"
    """How long ago an account must first have acted behind an address to count there: else whoever makes twenty
    accounts could go on twenty times as long."""

    half_life: Duration = "10m"
    """In which time half of the points fade."""

    block: Duration = "1m"
    """How long the first block lasts, within a fifth; each further one twice as long."""

    longest: Duration = "24h"
    """How long a block lasts at most."""

    forget: Duration = "7d"
    """In which time half of the former blocks are forgotten."""

    most: Annotated[int, Meta(ge=100, le=1_000_000)] = 10_000
    """Networks that the guard shuts out at once; of more, those whose block ends soonest are let go."""

    spraying: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """Accounts whose logins fail within a minute in one process, wherever they are tried from; when there are more,
    each failed login counts three times and the journal has `login_spraying`. No account is ever locked by it."""

    allow: tuple[Network, ...] = ()
    """Networks that gather no points, and that nobody but an operator shuts out."""

    deny: tuple[Network, ...] = ()
    """Networks from which nothing is taken."""

    feeds: tuple[Text, ...] = ()
    """Files with further networks of that kind, one a line, beside the policy; read again with it."""

    honeypots: tuple[Text, ...] = (
        "/.aws/",
        "/.env",
        "/.git/",
        "/.ssh/",
        "/actuator/",
        "/cgi-bin/",
        "/phpmyadmin",
        "/server-status",
        "/wp-admin",
        "/wp-login.php",
        "/xmlrpc.php",
    )
    """Beginnings of paths that only somebody who looks for holes asks for. A route of the policy is none."""

    scanners: tuple[Text, ...] = (
        "acunetix",
        "dirbuster",
        "gobuster",
        "masscan",
        "nessus",
        "nikto",
        "nmap",
        "nuclei",
        "sqlmap",
        "wpscan",
        "zgrab",
    )
    """Words in `User-Agent` by which attack tools name themselves."""

    weights: Weights = Weights()
    """How many points each event gives."""
