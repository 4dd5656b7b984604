"""`garrison jobs run` cleans up, once, and as often as it is called."""

from __future__ import annotations

from pathlib import Path

from garrison.accounts.people import by_operator, invite
from garrison.cli.workspace import accounts_of, opened
from garrison.guard.drive import drive
from tests.cli.conftest import Cli


def test_what_has_expired_is_removed(cli: Cli, policy: Path) -> None:
    with opened(policy) as runtime:
        drive(invite(accounts_of(runtime), (), by_operator(1), 1))
    first = cli("jobs", "run", "--json").json
    second = cli("jobs", "run").out

    assert first == {"expired records removed": 1, "old events removed": 0}
    assert "expired records removed  0" in second


def test_signing_keys_are_looked_after_where_there_are_some(cli: Cli, policy: Path) -> None:
    policy.write_text(
        policy.read_text("utf-8").replace("[accounts]", '[jwt]\nalgorithm = "ES256"\n[accounts]'), "utf-8"
    )

    assert cli("jobs", "run", "--json").json["signing keys looked after"] == 1
