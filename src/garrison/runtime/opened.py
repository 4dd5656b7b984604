"""Opens the store that a policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.runtime.kinds import KINDS
from garrison.runtime.process.secrets import read_password
from garrison.runtime.process.state import records_url
from garrison.stores.open import open_records

if TYPE_CHECKING:
    from garrison.crypto.ring import KeyRing
    from garrison.model.clock import Clock
    from garrison.policy.schema import Policy
    from garrison.stores.protocols import Store

__all__ = ["open_store"]


def open_store(policy: Policy, clock: Clock, ring: KeyRing) -> Store:
    """Open it, with every kind of record there is.

    Raises:
        SecretError: Its password is missing or readable by others.
        StoreError: It cannot be opened.
    """
    chain, *old = [ring.key("audit-chain", root) for root in ring.ids]
    reference = policy.stores.password
    password = read_password(reference) if reference else ""
    return open_records(records_url(policy), clock, KINDS, chain, old_chain_keys=old, password=password)
