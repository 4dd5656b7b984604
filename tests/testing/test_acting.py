"""Acting as somebody keeps a user's own tests short, and everything but the credential in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Security
from flask import Flask
from starlette.testclient import TestClient

from garrison import Garrison
from garrison.errors import UsageError
from garrison.fastapi import Garrison as FastAPIGarrison
from garrison.fastapi import Principal, principal
from garrison.flask import Garrison as FlaskGarrison
from garrison.flask import principal as flask_principal
from garrison.testing import acting_as

POLICY = """
service = "notes"
hosts = ["api.example.com"]
[secrets]
root = "file:root.key"
[routes]
"GET /notes/{id}" = { scopes = ["notes:read"], own = true }
"DELETE /notes/{id}" = { scopes = ["notes:write"], require = { fresh = "5m" } }
"GET /both" = { credentials = { all = ["key", "jwt"] } }
"""


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy for production: tests must not need another one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "production")
    key = tmp_path / "root.key"
    key.write_text("00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f")
    key.chmod(0o600)
    path = tmp_path / "garrison.toml"
    path.write_text(POLICY)
    return path


def _fastapi(policy: Path) -> FastAPI:
    app = FastAPI()
    app.add_middleware(FastAPIGarrison, policy=policy)
    me = Annotated[Principal, Security(principal)]

    async def note(id: int, me: Principal) -> dict[str, str]:
        me.must_own("user:tester" if id == 1 else "user:other")
        return {"me": me.id}

    note.__annotations__["me"] = me
    app.get("/notes/{id}")(note)
    app.delete("/notes/{id}")(note)

    async def both() -> None:
        """Answer anything."""

    app.get("/both")(both)
    return app


def test_requests_come_from_whom_the_test_says(policy: Path) -> None:
    app = _fastapi(policy)
    with acting_as(app, scopes=["notes:read"]) as me, TestClient(app) as client:
        assert client.get("/notes/1").json() == {"me": me.id}


def test_scopes_ownership_and_freshness_stay_in_force(policy: Path) -> None:
    app = _fastapi(policy)
    with TestClient(app) as client:
        with acting_as(app, scopes=["other"]):
            assert client.get("/notes/1").status_code == 403
        with acting_as(app, scopes=["notes:*"]):
            assert client.get("/notes/2").status_code == 404
            assert client.delete("/notes/1").status_code == 401
            assert client.get("/both").status_code == 200
            assert client.get("/nowhere").status_code == 404


def test_afterwards_everything_is_as_before(policy: Path) -> None:
    app = _fastapi(policy)
    with TestClient(app, base_url="https://api.example.com") as client:
        with acting_as(app, scopes=["notes:read"]):
            assert client.get("/notes/1").status_code == 200

        assert client.get("/notes/1").status_code == 401


def test_a_guard_around_an_application_and_a_flask_application_are_found(policy: Path) -> None:
    flask = Flask("acting")
    FlaskGarrison(flask, policy)

    @flask.get("/notes/<id>")
    def note(id: str) -> dict[str, str]:
        flask_principal().must_own("user:tester")
        return {"me": flask_principal().id}

    with acting_as(flask, scopes=["notes:read"]):
        assert flask.test_client().get("/notes/1").json == {"me": "user:tester"}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["user"].must_own("user:tester")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    guarded = Garrison(app, policy)
    with acting_as(guarded, scopes=["notes:read"]):
        assert TestClient(guarded).get("/notes/1").status_code == 200


def test_an_application_without_a_guard_is_told(policy: Path) -> None:
    with pytest.raises(UsageError), acting_as(FastAPI()):
        pass
