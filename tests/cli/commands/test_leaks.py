"""`garrison leaks` finds keys by their checksum, fails on them, and never repeats one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def leaked(cli: Cli, policy: Path) -> str:
    """A key in a file two folders down."""
    key = cli("keys", "create", "demo").out.strip()
    Path("src/deep").mkdir(parents=True)
    likeness = key[:-1] + ("1" if key.endswith("0") else "0")
    Path("src/deep/config.py").write_text(f"# first line\nKEY = '{key}'\nOTHER = '{likeness}'\n", "utf-8")
    return key


def test_a_key_in_a_file_fails_and_is_named_by_its_id(cli: Cli, leaked: str) -> None:
    ran = cli("leaks", "src", code=1)
    told = cli("leaks", "src", "--json", code=1).json

    assert ran.out.splitlines()[0].startswith("src/deep/config.py:2: grsn_sk_dev_")
    assert ran.out.splitlines()[1] == "1 file read, 1 key found"
    assert leaked not in ran.out + ran.err + str(told)
    assert told["leaks"][0]["id"] in leaked
    assert cli("keys", "revoke", told["leaks"][0]["id"]).out.endswith("revoked\n")


def test_standard_input_is_looked_through_too(cli: Cli, leaked: str) -> None:
    assert cli("leaks", "-", input=f"+{leaked}\n", code=1).out.startswith("-:1: ")
    assert cli("leaks", "-", "garrison.toml", input="nothing\n").out == "2 files read, 0 keys found\n"


def test_another_brand_is_another_matter(cli: Cli, leaked: str) -> None:
    assert cli("leaks", "src", "--brand", "acme").out == "1 file read, 0 keys found\n"


def test_without_a_policy_any_brand_is_looked_for(cli: Cli, leaked: str) -> None:
    Path("garrison.toml").unlink()

    cli("leaks", "src", code=1)


def test_what_cannot_be_read_fails(cli: Cli, policy: Path) -> None:
    """A scan that skips silently proves nothing."""
    ran = cli("leaks", "nowhere", code=1)

    assert "not read: nowhere" in ran.err


@pytest.mark.parametrize("scanner", ["gitleaks", "trufflehog", "github", "pre-commit"])
def test_patterns_for_other_scanners_carry_the_brand(cli: Cli, policy: Path, scanner: str) -> None:
    policy.write_text(policy.read_text("utf-8") + '[keys]\nbrand = "acme"\n', "utf-8")

    assert "acme" in cli("leaks", "--patterns", scanner).out
    assert "acme" in cli("leaks", "--patterns", scanner, "--json").json["pattern"]


@pytest.mark.parametrize("words", [[], ["--patterns", "nothing"], ["--patterns", "gitleaks", "--policy", "none.toml"]])
def test_what_cannot_be_asked(cli: Cli, policy: Path, words: list[str]) -> None:
    assert cli("leaks", *words, code=2).err.startswith("garrison: ")


def test_patterns_need_a_brand(cli: Cli, folder: Path) -> None:
    assert "--brand" in cli("leaks", "--patterns", "gitleaks", code=2).err
    assert "acme" in cli("leaks", "--patterns", "gitleaks", "--brand", "acme").out
