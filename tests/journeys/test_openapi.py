"""The tasks API keeps what its OpenAPI promises, whatever schemathesis thinks of sending."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[2]
PERSON = {"username": "ada", "email": "ada@example.com", "password": "correct horse battery"}
SCRIPTS = Path(sys.executable).parent


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _policy(folder: Path) -> Path:
    """The example's policy, with limits that let thousands of requests pass: limits are tested elsewhere."""
    text = (ROOT / "examples/tasks/garrison.toml").read_text("utf-8")
    text = text.replace("at most 5 in 1h", "at most 64 in 1s")
    for limit in ("50/s burst 500", "10/s burst 100", "5/s burst 50"):
        text = text.replace(limit, "1000000/s")
    policy = folder / "garrison.toml"
    policy.write_text(text, "utf-8")
    return policy


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The tasks API in a process of its own, in an empty folder."""
    port, policy = _free_port(), _policy(tmp_path)
    environment = {
        **os.environ,
        "GARRISON_ENV": "development",
        "TASKS_POLICY": str(policy),
        "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)]).strip(os.pathsep),
    }
    command = [sys.executable, "-m", "garrison", "serve", "examples.tasks.main:app", "--policy", str(policy)]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen([*command, "--port", str(port)], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, port)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        log.close()
    told = (tmp_path / "log").read_text("utf-8")
    assert "Traceback" not in told, told


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    msg = "the server did not come up"
    raise AssertionError(msg)


def _token(server: str) -> str:
    headers = {"content-type": "application/json"}
    request = Request(f"{server}/api/auth/register", json.dumps(PERSON).encode(), headers, method="POST")  # loopback
    with urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["token"])


_UNSAYABLE = """
# That a name is taken, an address has no such domain or a password is on a block list cannot be said in a schema.
[[operations]]
include-name = "POST /api/auth/register"
checks.positive_data_acceptance.enabled = false

# Nor can the notation of limits, networks and routes.
[[operations]]
include-name = "POST /api/keys"
checks.positive_data_acceptance.enabled = false
"""


def _run(server: str, examples: int, folder: Path) -> None:
    command = [str(SCRIPTS / "st"), "run", f"{server}/openapi.json", "-H", f"Authorization: Bearer {_token(server)}"]
    (folder / "schemathesis.toml").write_text(_UNSAYABLE, "utf-8")
    # Logging out in the middle would leave nothing to test with.
    options = ["--exclude-path", "/api/auth/logout", "--max-examples", str(examples), "--generation-deterministic"]
    run = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=1_500, check=False)
    assert run.returncode == 0, run.stdout[-8_000:]


def test_the_api_keeps_its_promises(server: str, tmp_path: Path) -> None:
    _run(server, 15, tmp_path)


@pytest.mark.prove
def test_the_api_keeps_its_promises_for_long(server: str, tmp_path: Path) -> None:
    _run(server, 300, tmp_path)
