"""Every kind of record there is: what a store is opened with."""

from __future__ import annotations

from garrison.accounts.passwords.hashing import COSTS
from garrison.accounts.people import INVITES, MARKS
from garrison.accounts.throttle import LANES
from garrison.accounts.user import USERS
from garrison.admin.blocks import BLOCKS
from garrison.credentials.key_record import ALLOWANCES, KEYS, SCHEMES, STRAYS, USES
from garrison.runtime.process.workers import WORKERS
from garrison.stores.news import NEWS
from garrison.stores.recorded import COUNTS, MEANWHILE
from garrison.tokens.keys import SIGNING_KEYS
from garrison.tokens.refresh import REFRESH_FAMILIES
from garrison.tokens.revocations import REVOCATIONS

__all__ = ["KINDS"]

KINDS = (
    ALLOWANCES,
    BLOCKS,
    COSTS,
    COUNTS,
    MEANWHILE,
    INVITES,
    KEYS,
    LANES,
    MARKS,
    NEWS,
    REFRESH_FAMILIES,
    REVOCATIONS,
    SCHEMES,
    SIGNING_KEYS,
    STRAYS,
    USERS,
    USES,
    WORKERS,
)
