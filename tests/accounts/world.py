"""A small world for tests of accounts: a clock that is moved by hand, a memory store, cheap hashes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from garrison.accounts.user import USERS, User, fold_email, fold_name
from garrison.crypto import password as password_module
from garrison.crypto.password import Cost
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Put

NOON = 1_800_000_000_000_000
CHEAP = Cost(memory=7 * 1024, passes=1)
"""The cheapest hash that is taken: 3 ms."""


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def wall(self) -> int:
        return self.now

    def monotonic(self) -> int:
        return self.now


class Counted:
    """Notes the cost of every argon2 run from now on; the run itself is the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.costs: list[tuple[int, int]] = []
        real = password_module._argon2

        def noted(plain: bytes, salt: bytes, cost: Cost) -> bytes:
            self.costs.append((cost.memory, cost.passes))
            return real(plain, salt, cost)

        monkeypatch.setattr(password_module, "_argon2", noted)


class World:
    """Everything an account needs to live in."""

    users = USERS

    def __init__(self) -> None:
        self.clock = Clock()
        self.records = MemoryRecords(self.clock, bytes(32))

    def put_user(self, name: str = "ada", **fields: Any) -> User:
        """Store an account as it is given."""
        email = fields.pop("email", f"{name}@example.org")
        user = User(
            id=fields.pop("id", f"id-{name}"),
            name=name,
            name_key=fold_name(name),
            email=email,
            email_key=fold_email(email),
            password=(password := fields.pop("password", "")),
            cost=password.split("$")[2] if password else "",
            created=NOON,
            password_changed=NOON,
            **fields,
        )
        outcome = asyncio.run(self.records.commit([Put(USERS, user)]))
        assert outcome.done, outcome
        stored: User = outcome.records[0]
        return stored
