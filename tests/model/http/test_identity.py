"""Fields that name a user: every one in every spelling, and no field that a client has its own use for."""

from __future__ import annotations

import pytest

from garrison.model.http.identity import IDENTITY, TOLD_BY


def test_every_name_is_there_in_every_spelling() -> None:
    assert {b"x-remote-user", b"x_remote_user", b"x-remote_user", b"x_remote-user"} <= IDENTITY
    folded = {name.decode("ascii").replace("_", "-") for name in IDENTITY}
    assert folded == {name for names in TOLD_BY.values() for name in names}


@pytest.mark.parametrize(
    "name",
    [
        b"host",
        b"authorization",
        b"cookie",
        b"x-api-key",
        b"x-forwarded-for",
        b"x-real-ip",
        b"user-agent",
        b"x-tenant-id",
    ],
)
def test_what_a_client_may_say_is_not_there(name: bytes) -> None:
    assert name not in IDENTITY
