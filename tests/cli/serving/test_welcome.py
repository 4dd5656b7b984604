"""What the first start tells: a path to try, the place of the documentation, and the command that invites."""

from __future__ import annotations

import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from secrets import token_bytes

import pytest

from garrison.cli.serving.welcome import Greeting, as_json, docs_page, greet, welcome
from garrison.cli.workspace import opened
from garrison.policy.load import load
from tests.cli.conftest import POLICY

BASE = "http://127.0.0.1:8000"


def test_a_first_start_and_a_second(policy: Path) -> None:
    with opened(policy) as runtime:
        first, second = welcome(runtime, BASE), welcome(runtime, BASE)

    assert [person.username for person in first.people] == ["admin", "demo"]
    assert len(first.tries) == 2
    assert second == Greeting()
    assert as_json(first)["people"][1]["key"] == first.people[1].key


def test_without_accounts_there_is_nothing_to_tell(policy: Path) -> None:
    policy.write_text(POLICY.replace('[accounts]\nscopes = ["notes:read"]\n', ""), "utf-8")
    with opened(policy) as runtime:
        assert welcome(runtime, BASE) == Greeting()


@pytest.mark.parametrize(
    ("routes", "path"),
    [
        ("'GET /a/{id}' = {}\n'GET /b' = {}", "/b"),
        ("'GET /open' = { public = true }\n'POST /w' = {}", ""),
        ("'GET /t' = { credentials = ['jwt'] }", ""),
        ("'GET /both' = { credentials = { all = ['key', 'jwt'] } }", ""),
        ("'GET /other' = { scopes = ['other:read'] }\n'GET|POST /mine' = { scopes = ['notes:read'] }", "/mine"),
    ],
)
def test_the_path_to_try_is_one_that_the_key_may_read(policy: Path, routes: str, path: str) -> None:
    policy.write_text(POLICY[: POLICY.index("[routes]")] + f"[routes]\n{routes}\n", "utf-8")
    with opened(policy) as runtime:
        tries = welcome(runtime, BASE).tries

    keyed = [line for line in tries if "x-api-key" in line]
    assert [line.rpartition(BASE)[2] for line in keyed] == ([path] if path else [])
    assert tries[-1].startswith("curl -X POST")


@pytest.mark.parametrize(
    ("routes", "page"),
    [
        ("'GET /docs' = { public = true, headers = 'docs' }", "/docs"),
        ("'GET /openapi.json' = { headers = 'docs' }\n'GET /redoc' = { headers = 'docs' }", "/redoc"),
        ("'GET /docs' = { public = true }", ""),
        ("'GET /d/{x}' = { headers = 'docs' }", ""),
    ],
)
def test_the_documentation_page_is_the_one_with_its_header_profile(routes: str, page: str) -> None:
    assert docs_page(load(f"[routes]\n{routes}\n", "development")) == page


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ("bin/garrison", "bin/garrison"),
        ("my bin/garrison", "'my bin/garrison'"),
        ("/opt/notes/bin/garrison", "/opt/notes/bin/garrison"),
        ("{found}/garrison", "garrison"),
    ],
)
def test_the_invitation_names_the_program_as_it_is_found_here(
    policy: Path, monkeypatch: pytest.MonkeyPatch, started: str, shown: str
) -> None:
    """After `make run` there is no `garrison` among the programs, only `.venv/bin/garrison`."""
    found = policy.parent / "found"
    found.mkdir()
    (found / "garrison").touch(0o700)
    monkeypatch.setenv("PATH", str(found))
    monkeypatch.setattr(sys, "argv", [started.format(found=found)])
    policy.write_text(POLICY + "[environments.staging.secrets]\nroot = 'env:ROOT'\n", "utf-8")
    monkeypatch.setenv("GARRISON_ENV", "staging")
    monkeypatch.setenv("ROOT", urlsafe_b64encode(token_bytes(32)).decode())
    with opened(policy) as runtime:
        invite = welcome(runtime, BASE).invite

    assert invite == f"{shown} users invite --admin"


def test_the_invitation_names_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    greet(Greeting(invite="garrison users invite --admin"))

    assert capsys.readouterr().out.splitlines()[1] == "  garrison users invite --admin"
