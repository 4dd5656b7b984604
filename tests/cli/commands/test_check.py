"""`garrison check` tells everything that is wrong, and its last line says how much that is."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import MAIN, Cli


def test_a_policy_that_fits_its_application(cli: Cli, policy: Path) -> None:
    Path("main.py").write_text(MAIN, "utf-8")

    assert cli("check", "--app", "main:app").out == "3 routes, 3 in the policy, 0 problems\n"
    assert cli("check").out == "3 routes in the policy, 0 problems\n"


def test_every_problem_is_a_line_that_an_editor_can_follow(cli: Cli, policy: Path) -> None:
    Path("main.py").write_text(MAIN.replace('"/health"', '"/helth"').replace("notes:read", "notes:list"), "utf-8")
    ran = cli("check", "--app", "main:app", code=1)
    *problems, last = ran.out.splitlines()

    assert last == "3 routes, 2 in the policy, 3 problems"
    assert [problem.split(": ")[0] for problem in problems] == [
        "garrison.toml",
        "garrison.toml:13",
        "garrison.toml:14",
    ]
    assert "error GP701 routes: The application has GET /helth" in problems[0]


def test_problems_come_in_the_order_of_the_file_and_warnings_pass(cli: Cli, policy: Path) -> None:
    policy.write_text(policy.read_text("utf-8").replace(", own = true", ""), "utf-8")
    ran = cli("check")
    strict = cli("check", "--strict", code=1)

    assert "garrison.toml:15: warning GP040" in ran.out
    assert ran.out.endswith("3 routes in the policy, 1 problem\n")
    assert strict.out == ran.out


def test_json_holds_the_same(cli: Cli, policy: Path) -> None:
    Path("main.py").write_text(MAIN, "utf-8")
    told = cli("check", "--app", "main:app", "--json").json

    assert told == {"policy": "garrison.toml", "problems": [], "routes": 3, "in_policy": 3}


def test_a_policy_that_cannot_be_read_at_all_is_told_with_its_line(cli: Cli, policy: Path) -> None:
    policy.write_text("[routes]\n'GET /a' = {\n", "utf-8")
    ran = cli("check", "--app", "main:app", code=1)

    assert "GP001" in ran.out
    assert ran.out.endswith("1 problem\n")


def test_endpoints_of_accounts_count_as_routes(cli: Cli, policy: Path) -> None:
    """A route of the policy that stands where an endpoint of Garrison's stands is judged together with it."""
    policy.write_text(policy.read_text("utf-8").replace('"GET /notes" =', '"POST /auth/{any}" = {}\n"GET /notes" ='))
    ran = cli("check", code=None)

    assert "/auth/" in ran.out


def test_another_policy_by_name(cli: Cli, policy: Path) -> None:
    policy.rename("other.toml")

    assert cli("check", "--policy", "other.toml").out == "3 routes in the policy, 0 problems\n"
    assert cli("check", "-p", "other.toml", "--json").json["policy"] == "other.toml"
