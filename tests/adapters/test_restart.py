"""An application is started and stopped more than once in a process: every test that uses a client does so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from garrison import Garrison
from tests.adapters.world import at_work

POLICY = 'service = "notes"\n[routes]\n"GET /x" = { public = true, limit = "9/s per address" }\n'


@pytest.mark.parametrize("records", ["memory:", "sqlite:records.db"])
def test_every_start_serves(records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with at_work(f'{POLICY}\n[stores]\nrecords = "{records}"\n') as runtime:
        guarded = Garrison(app, runtime=runtime)
        for _ in range(3):
            with TestClient(guarded) as client:
                assert client.get("/x").status_code == 200
            assert not runtime.serving
