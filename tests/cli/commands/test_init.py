"""`garrison init` writes a policy that loads, from an application or from a document, and never over another."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from garrison.policy.load import load
from tests.cli.conftest import MAIN, Cli

DOCUMENT = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://api.example.com/v1"}],
    "paths": {
        "/pets/{petId}": {
            "get": {"summary": "Find a pet", "security": [{"oauth": ["pets:read"]}]},
            "delete": {"security": []},
        }
    },
}


def test_the_policy_of_an_application_loads_and_fits_it(cli: Cli, folder: Path) -> None:
    Path("main.py").write_text(MAIN, "utf-8")
    ran = cli("init", "--app", "main:app", "--service", "notes")
    written = Path("garrison.toml").read_text("utf-8")

    assert ran.out.startswith("garrison.toml: 3 routes, 4 things to decide")
    assert ran.out.endswith("next: garrison check --app main:app\n")
    assert list(load(Path("garrison.toml"), "development").routes) == ["GET /health", "GET /notes", "GET /notes/{id}"]
    assert "# Read a note." in written
    assert "3 routes, 3 in the policy" in cli("check", "--app", "main:app").out
    assert set(os.listdir(folder)) - {"__pycache__"} == {"garrison.toml", "main.py"}


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_policy_of_a_document(cli: Cli, folder: Path, form: str) -> None:
    import msgspec

    encode = msgspec.json.encode if form == "json" else msgspec.yaml.encode
    Path("api.txt").write_bytes(encode(DOCUMENT))
    ran = cli("init", "--openapi", "api.txt", "--policy", "made.toml", "--json")

    assert ran.json == {"policy": "made.toml", "routes": 2, "to_decide": ran.json["to_decide"]}
    routes = load(Path("made.toml"), "development").routes
    assert routes["GET /v1/pets/{petId}"].scopes == ("pets:read",)
    assert routes["DELETE /v1/pets/{petId}"].public is None, "nothing is opened by what a document says"


def test_a_policy_that_is_there_stays(cli: Cli, policy: Path) -> None:
    before = policy.read_text("utf-8")
    Path("main.py").write_text(MAIN, "utf-8")
    ran = cli("init", "--app", "main:app", code=2)

    assert "--force" in ran.err
    assert policy.read_text("utf-8") == before
    cli("init", "--app", "main:app", "--force")
    assert policy.read_text("utf-8") != before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "either --app MODULE:APP or --openapi FILE"),
        (["--app", "main:app", "--openapi", "x.json"], "either"),
        (["--openapi", "none.json"], "cannot be read"),
        (["--openapi", "broken.txt"], "neither JSON nor YAML"),
        (["--openapi", "list.json"], "no OpenAPI document"),
        (["--openapi", "latin.json"], "cannot be read"),
        (["--app", "bare:app"], "does not tell its routes"),
        (["--openapi", "good.json", "--policy", "no/where.toml"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(
    cli: Cli, folder: Path, words: list[str], told: str
) -> None:
    Path("broken.txt").write_text('{"a": [', "utf-8")
    Path("list.json").write_text("[]", "utf-8")
    Path("latin.json").write_bytes(b'{"a": "\xff"}')
    Path("good.json").write_text(json.dumps(DOCUMENT), "utf-8")
    Path("bare.py").write_text("async def app(scope, receive, send): ...\n", "utf-8")
    before = set(os.listdir(folder))

    assert told in cli("init", *words, code=2).err
    assert set(os.listdir(folder)) - before <= {"__pycache__"}
