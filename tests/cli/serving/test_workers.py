"""`garrison serve --workers N`: several processes that serve, count and end as one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.serving.world import Served, served

MAIN = """\
import os

from fastapi import FastAPI

app = FastAPI(openapi_url=None)


@app.get("/who")
def who() -> int:
    return os.getpid()


@app.get("/few")
def few() -> int:
    return os.getpid()
"""

POLICY = """\
service = "notes"

[stores]
records = "sqlite:var/garrison.db"
counters = "records:"

[routes]
"GET /who" = { public = true, limit = "1000000/s per address" }
"GET /few" = { public = true, limit = "at most 9 in 1h per address" }
"""


@pytest.fixture
def main(policy: Path) -> None:
    """An application that says which process serves it."""
    Path("main.py").write_text(MAIN, "utf-8")
    policy.write_text(POLICY, "utf-8")


def serving(server: Served, *, but: int = 0, count: int = 3) -> set[int]:
    """Ask until so many processes have answered."""
    found: set[int] = set()
    while len(found) < count:
        found |= {int(server.ask("GET", "/who").json)} - {but}
    return found


@pytest.mark.usefixtures("main")
def test_they_count_as_one_and_one_that_dies_is_replaced() -> None:
    with served("main:app", "--workers", "3") as server:
        workers = serving(server)
        assert server.process.pid not in workers
        answers = [server.ask("GET", "/few").status for _ in range(12)]
        assert answers == [200] * 9 + [429] * 3

        (victim, *_) = workers
        os.kill(victim, signal.SIGKILL)
        while "starting another" not in server.error_line():
            pass
        after = serving(server, but=victim)
        assert len(after - workers) == 1
        assert server.ask("GET", "/few").status == 429

        code, _, _ = server.stop()
        assert code == 0
    for process in after:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.usefixtures("main")
@pytest.mark.parametrize(
    ("line", "mend"),
    [('counters = "records:"', 'counters = "records:"'), ('records = "sqlite:var/garrison.db"', "records =")],
)
def test_each_for_itself_they_do_not_start(cli: Cli, line: str, mend: str) -> None:
    """Every limit would be three times as large, and a key revoked in one be good in the others."""
    path = Path("garrison.toml")
    path.write_text(path.read_text("utf-8").replace(line, ""), "utf-8")

    ran = cli("serve", "main:app", "--port", "0", "--workers", "3", code=2)

    assert mend in ran.err


@pytest.mark.usefixtures("main")
def test_one_that_dies_at_once_is_not_started_for_ever() -> None:
    """As where its root key is gone by the time it starts."""
    text = Path("main.py").read_text("utf-8")
    dies = "\nimport os\nos.register_at_fork(after_in_child=lambda: os._exit(3))\n"
    Path("main.py").write_text(text + dies, "utf-8")

    with pytest.raises(AssertionError, match="died at once"), served("main:app", "--workers", "2"):
        pass


@pytest.mark.usefixtures("main")
def test_told_to_end_it_sends_requests_elsewhere_first() -> None:
    """SIGTERM is how orchestrators say so; told again, it ends at once."""
    path = Path("garrison.toml")
    path.write_text(path.read_text("utf-8") + '\n[operations]\nready = "/ready"\ndrain = "1h"\n', "utf-8")
    with served("main:app") as server:
        assert server.ask("GET", "/ready").json == {"status": "ready"}
        server.process.send_signal(signal.SIGTERM)
        while (answer := server.ask("GET", "/ready")).status != 503:
            assert answer.status == 200

        assert answer.json == {"status": "draining"}
        assert server.ask("GET", "/who").status == 200
        assert server.stop(signal.SIGTERM)[0] == 0
