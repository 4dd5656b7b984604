"""An empty folder with a policy, and a command line to call in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from garrison.cli.program import program

POLICY = """\
service = "notes"

[stores]
records = "sqlite:var/garrison.db"

[accounts]
scopes = ["notes:read"]

[defaults]
limit = "50/s burst 500 per principal"

[routes]
"GET /health" = { public = true, limit = "10/s burst 100 per address" }
"GET /notes" = { scopes = ["notes:read"] }
"GET /notes/{id}" = { scopes = ["notes:read"], own = true }
"""

MAIN = """\
from typing import Annotated

from fastapi import FastAPI, Security

from garrison.fastapi import Principal, principal

app = FastAPI(openapi_url=None)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/notes")
def notes(me: Annotated[Principal, Security(principal, scopes=["notes:read"])]) -> dict[str, str]:
    return {"me": me.id}


@app.get("/notes/{id}")
def read(id: int, me: Annotated[Principal, Security(principal)]) -> dict[str, int]:
    \"\"\"Read a note.\"\"\"
    me.must_own(me.id)
    return {"id": id}
"""


class Ran(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory in development; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def policy(folder: Path) -> Path:
    """A policy with accounts and a SQLite store, read for development."""
    path = folder / "garrison.toml"
    path.write_text(POLICY, "utf-8")
    return path


@pytest.fixture
def cli(folder: Path) -> Cli:
    """Call the command line in this process: `cli("keys", "list")`."""

    def run(*words: str, input: str | None = None, code: int | None = 0) -> Ran:
        result: Result = CliRunner().invoke(program, words, input=input, catch_exceptions=False, prog_name="garrison")
        assert code is None or result.exit_code == code, result.output
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run
