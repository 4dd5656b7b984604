"""One line of the audit journal: what happened, who did it, to whom, and how it ended.

Codes follow the OWASP logging vocabulary where it has a word. An event never holds a secret: whatever
builds one puts public names in it, and `garrison.audit` redacts what slips through.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Event"]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact for the journal; the store adds sequence number and chain."""

    code: str
    """What happened: `authn_login_fail`, `key_created`, `authz_refused`, `policy_changed`."""

    at: int
    """When, wall microseconds."""

    actor: str = ""
    """`Principal.id` of who acted; empty: nobody known."""

    subject: str = ""
    """What or who it was done to, by public name."""

    outcome: str = "success"
    """`success`, `refused` or `failed`."""

    severity: str = "info"
    """`info`, `warning` or `critical`."""

    reason: str = ""
    """Why, as a stable code."""

    address: str = ""
    """Client address."""

    route: str = ""
    """The route of the policy, `GET /api/tasks/{id}`."""

    correlation: str = ""
    """Ties the event to an answer and to the logs of other services."""

    tenant: str = ""
    """Whose event it is."""

    count: int = 1
    """How many equal events the record stands for."""

    details: dict[str, str | int | bool] = {}
    """Anything further that is worth keeping."""
