"""Where development keeps what it makes: below the working directory, or in a folder that tests have for themselves.

A test that starts the application would otherwise write to the records of the developer's running server, and be
refused as its second worker (GP900).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from garrison.stores.url import read

if TYPE_CHECKING:
    from garrison.policy.schema import Policy

__all__ = ["STATE", "records_url", "state_folder"]

STATE = "GARRISON_STATE"
"""Names the folder where relative paths of state begin in development; else it is the working directory.

In development alone: elsewhere a variable that somebody left behind would hide every revocation there is."""


def state_folder(policy: Policy) -> Path:
    """Give the folder where relative paths of state begin."""
    return Path(os.environ.get(STATE, "") if policy.environment == "development" else "")


def records_url(policy: Policy) -> str:
    """Give the URL of the records, its relative path below that folder."""
    scheme, path = read(policy.stores.records)
    return f"{scheme}:{state_folder(policy) / path}" if scheme == "sqlite" else policy.stores.records
