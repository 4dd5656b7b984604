"""`garrison diff` says what changes, and fails on what weakens when it is asked to."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli


def test_changes_are_told_and_the_weaker_ones_marked(cli: Cli, policy: Path) -> None:
    weaker = policy.read_text("utf-8").replace('{ scopes = ["notes:read"], own = true }', "{ scopes = [], own = true }")
    Path("new.toml").write_text(weaker.replace("garrison.db", "other.db"), "utf-8")
    ran = cli("diff", "garrison.toml", "new.toml")
    failed = cli("diff", "garrison.toml", "new.toml", "--fail-on-weaker", code=1)

    assert 'routes."GET /notes/{id}".scopes: ["notes:read"] becomes [] (weaker)' in ran.out
    assert "other.db" in ran.out
    assert "(takes a restart)" in ran.out
    assert ran.out.endswith(
        "2 changes, 1 weaker\nA service that runs refuses all of it: restart it with the new policy\n"
    )
    assert failed.out == ran.out


def test_a_change_that_a_running_service_takes_is_told_without_the_warning(cli: Cli, policy: Path) -> None:
    Path("new.toml").write_text(policy.read_text("utf-8").replace("own = true", "own = false"), "utf-8")

    assert cli("diff", "garrison.toml", "new.toml").out.endswith("1 change, 1 weaker\n")


def test_a_mistake_is_told_with_the_file_it_is_in(cli: Cli, policy: Path) -> None:
    """Of two files, and both at once: one run is enough to mend them."""
    Path("old.toml").write_text("[routs]\n", "utf-8")
    Path("new.toml").write_text("service = \n", "utf-8")
    ran = cli("diff", "old.toml", "new.toml", code=2)
    told = cli("diff", "garrison.toml", "new.toml", "--json", code=2).json["error"]["problems"]

    assert [line.split()[4] for line in ran.err.splitlines()][:2] == ["old.toml", "new.toml:"]
    assert [problem["path"] for problem in told] == ["new.toml"]


def test_equal_policies(cli: Cli, policy: Path) -> None:
    assert cli("diff", "garrison.toml", "garrison.toml", "--fail-on-weaker").out == "0 changes, 0 weaker\n"
    assert cli("diff", "garrison.toml", "garrison.toml", "--json").json == []
