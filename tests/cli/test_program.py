"""Commands are names until they are called, and a fault is a plain line with its remedy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from garrison import __version__
from garrison.cli.program import COMMANDS, FAULT
from tests.cli.conftest import Cli

HEAVY = (
    "argon2",
    "asyncio",
    "cryptography",
    "email_validator",
    "fastapi",
    "httptools",
    "jsonschema_rs",
    "msgspec",
    "rich",
    "sqlite3",
    "ssl",
    "starlette",
    "uvicorn",
    "uvloop",
)
"""What nobody should wait for who asks for help."""


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """Measured by what is imported, not by a clock: `--help` takes 100 ms, of which Typer takes 60."""
    code = (
        "import sys, json\n"
        "from garrison.cli import main\n"
        f"sys.argv = ['garrison', *{words!r}]\n"
        "try:\n    main()\n"
        "finally:\n    print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = json.loads(done.stdout.splitlines()[-1])

    assert "typer" in loaded
    assert not set(HEAVY) & set(loaded)


def test_help_names_every_command_with_its_summary(cli: Cli) -> None:
    out = cli("--help").out

    for name, summary in COMMANDS.items():
        assert f"  {name} " in out
        assert summary in out, "it is cut off at 80 columns"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_as_the_list_does(cli: Cli, name: str) -> None:
    """The stand-in of `--help` and the command itself must not tell two stories."""
    out = cli(name, "--help").out

    assert " ".join(COMMANDS[name].split()) in " ".join(out.split())


def test_a_mistyped_command_is_answered_with_the_right_one(cli: Cli) -> None:
    assert "Did you mean 'check'" in cli("chek", code=2).err


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"garrison {__version__}\n"


def test_no_word_at_all_shows_the_help(cli: Cli) -> None:
    ran = cli(code=2)

    assert "Commands:" in ran.out + ran.err


def test_a_missing_policy_is_told_with_what_to_do(cli: Cli) -> None:
    ran = cli("check", code=FAULT)

    assert ran.err.startswith("garrison: there is no garrison.toml; write one with: garrison init")
    assert ran.out == ""


def test_a_wrong_policy_is_told_problem_by_problem(cli: Cli, policy: Path) -> None:
    policy.write_text("sevice = 1\n[routes]\n'GET nope' = {}\n", "utf-8")
    ran = cli("keys", "list", code=FAULT)

    assert [line.split()[1] for line in ran.err.splitlines()] == ["GP002", "GP005"]
    assert "Did you mean service?" in ran.err


def test_a_fault_is_json_where_json_is_asked_for(cli: Cli, policy: Path) -> None:
    policy.write_text("sevice = 1\n", "utf-8")
    ran = cli("keys", "list", "--json", code=FAULT)
    error = ran.json["error"]

    assert error["code"] == "policy"
    assert [(each["rule"], each["line"]) for each in error["problems"]] == [("GP002", 1)]


def test_a_store_that_cannot_be_opened_is_told_with_its_cause(cli: Cli, policy: Path) -> None:
    (policy.parent / "var").mkdir()
    (policy.parent / "var" / "garrison.db").write_bytes(b"this is no database" * 100)
    ran = cli("keys", "list", code=FAULT)

    assert ran.err.startswith("garrison: ")
    assert "Traceback" not in ran.err


def test_records_in_memory_cannot_be_looked_at_from_outside(cli: Cli, policy: Path) -> None:
    """A key made there would be gone when the command ends, and nobody would know."""
    policy.write_text(policy.read_text("utf-8").replace("sqlite:var/garrison.db", "memory:"), "utf-8")

    assert "only the serving process has them" in cli("keys", "create", "demo", code=FAULT).err


def test_production_is_assumed_where_nothing_is_said(cli: Cli, policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever forgets the environment must not get the relaxed one."""
    monkeypatch.delenv("GARRISON_ENV")

    assert "secrets.root" in cli("keys", "list", code=FAULT).err


def test_the_module_runs_like_the_script(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "garrison", "--version"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, f"garrison {__version__}\n")
