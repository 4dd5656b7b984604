"""`garrison serve` as a process: first and second start, a new policy, a second worker, and the end."""

from __future__ import annotations

import base64
import os
import pty
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Cli
from tests.cli.serving.world import served


@pytest.fixture
def main(policy: Path) -> None:
    """A FastAPI application without a guard, beside the policy."""
    Path("main.py").write_text(MAIN, "utf-8")


def test_a_bare_application_is_guarded_by_the_policy(main: None) -> None:
    with served() as server:
        health, missing, unknown = (server.ask("GET", path) for path in ("/health", "/notes", "/elsewhere"))

    assert (health.status, health.json) == (200, {"status": "ok"})
    assert missing.status == 401
    assert missing.headers["content-type"] == "application/problem+json"
    assert unknown.json["policy"] == "The policy has no route for 'GET /elsewhere'."
    assert "server" not in health.headers
    assert "date" in health.headers


def test_what_cannot_be_read_is_a_problem_too_and_goes_to_the_journal_alone(main: None, cli: Cli) -> None:
    """A line in a log for each would let strangers fill the disk."""
    with served() as server:
        unknown = server.ask("FOO", "/health")
        elsewhere = server.ask("GET", "http://evil.example/health", Host="localhost")
        _, _, err = server.stop()

    assert (unknown.status, unknown.json["code"]) == (501, "method_unknown")
    assert (elsewhere.status, elsewhere.json["code"]) == (400, "request_malformed")
    assert unknown.json["correlation"] in cli("audit", "tail", "--json").out
    assert err == ""


def test_the_first_start_in_development_makes_what_is_needed_to_try_everything(main: None) -> None:
    with served() as server:
        admin, demo = server.told["people"]
        keyed = server.ask("GET", "/notes", X_API_Key=demo["key"])
        body = f'{{"login": "admin", "password": "{admin["password"]}"}}'.encode()
        login = server.ask("POST", "/auth/login", body, content_type="application/json")
        token = server.ask("GET", "/notes", Authorization=f"Bearer {login.json['token']}")
        tries = server.told["tries"]

    assert [person["username"] for person in server.told["people"]] == ["admin", "demo"]
    assert (keyed.status, keyed.json["me"].startswith("user:")) == (200, True)
    assert (login.status, token.status) == (200, 200)
    assert admin["scopes"] == ["admin:*", "notes:read"]
    assert tries[0] == f"curl -H 'x-api-key: {demo['key']}' {server.told['url']}/notes"
    assert tries[1].startswith(f"curl -X POST {server.told['url']}/auth/login ")


def test_the_lines_to_paste_work_as_they_stand(main: None) -> None:
    """What a newcomer does first must not fail."""
    with served() as server:
        answers = [
            subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, timeout=60).stdout
            for line in server.told["tries"]
        ]

    assert answers[0].startswith('{"me":"user:')
    assert '"token":' in answers[1]


def test_a_second_start_keeps_the_data_and_prints_no_secret(main: None) -> None:
    with served() as server:
        key = server.told["people"][1]["key"]
        server.stop()
    with served() as server:
        again = server.ask("GET", "/notes", X_API_Key=key)

    assert server.told["people"] == []
    assert again.status == 200


def test_elsewhere_than_in_development_the_first_start_names_the_command_that_invites(
    policy: Path, main: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a service prints goes into logs that many read: no secret is in it. The line works as it stands."""
    root = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    monkeypatch.setenv("ROOT", root)
    monkeypatch.setenv("GARRISON_ENV", "production")
    policy.write_text(policy.read_text("utf-8") + '[secrets]\nroot = "env:ROOT"\n', "utf-8")
    with served(environment="production") as server:
        invite = server.told["invite"]
        code, out, err = server.stop()
    policy.rename("the other.toml")
    with served("main:app", "--policy", "the other.toml", environment="production") as server:
        named = server.told["invite"]
    made = subprocess.run(["sh", "-c", named], capture_output=True, text=True, check=True, timeout=60)

    assert (server.told["people"], invite) == ([], f"{sys.executable} -m garrison users invite --admin")
    assert named == f"{invite} --policy 'the other.toml'"
    assert (code, out, err) == (0, "", "")
    assert len(made.stdout.strip()) == 43


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_without_a_trace_and_in_good_order(main: None, number: int) -> None:
    with served() as server:
        connection = server.connection()
        connection.request("GET", "/health")
        connection.getresponse().read()
        code, out, err = server.stop(number)
        connection.close()

    assert (code, out, err) == (0, "", "")


def test_a_person_is_told_where_it_is_and_that_it_stopped(main: None) -> None:
    """Without `--json`, on a terminal of its own that a person presses Ctrl-C on."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "garrison", "serve", "main:app", "--port", "0"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"policy  garrison.toml" not in shown:
        shown += os.read(ours, 10_000)
    process.send_signal(signal.SIGINT)
    try:
        while piece := os.read(ours, 10_000):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    text = shown.decode().replace("\r", "")

    assert process.wait(60) == 0
    assert "First start: two users were made." in text
    assert "notes (development) is served on http://127.0.0.1:" in text
    assert text.endswith("stopped\n")
    assert "Traceback" not in text


def test_sighup_reads_the_policy_again(policy: Path, main: None) -> None:
    with served() as server:
        before = server.ask("GET", "/notes").status
        policy.write_text(
            policy.read_text("utf-8").replace('"GET /notes" = { scopes', '"GET /notes" = { mode = "observe", scopes')
        )
        server.process.send_signal(signal.SIGHUP)
        line = server.error_line()
        while "read again" not in line:
            line = server.error_line()
        policy.write_text("sevice = 1\n", "utf-8")
        server.process.send_signal(signal.SIGHUP)
        refused = server.error_line()
        while "GP002" not in refused:
            refused = server.error_line()
        after = server.ask("GET", "/health").status

    assert before == 401
    assert "Did you mean service?" in refused
    assert after == 200, "a wrong policy changes nothing"


def test_a_terminal_that_hangs_up_ends_the_server(main: None) -> None:
    """Its window is closed: nobody could stop it any more, and it would hold the port."""
    ours, theirs = pty.openpty()
    child = os.fork()
    if not child:
        os.close(ours)
        _take_terminal(theirs)
        os.execv(sys.executable, [sys.executable, "-m", "garrison", "serve", "main:app", "--port", "0"])
    os.close(theirs)
    shown = b""
    while b"policy  garrison.toml" not in shown:
        shown += os.read(ours, 10_000)
    os.close(ours)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def _take_terminal(terminal: int) -> None:
    """Make a terminal this process's own (POSIX, controlling terminal)."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(terminal, number)


def test_a_second_worker_is_refused(main: None, cli: Cli) -> None:
    """Counters in memory: two of them would let everybody do twice what the limits say."""
    with served():
        ran = cli("serve", "main:app", "--port", "0", code=2)

    assert "GP900" in ran.err
    assert 'Write counters = "records:"' in ran.err


def test_a_port_that_is_taken_is_told_before_anything_is_made(main: None, cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = cli("serve", "main:app", "--port", port, code=2)
    with served() as server:
        people = server.told["people"]

    assert f"127.0.0.1:{port} cannot be listened on" in ran.err
    assert "--port" in ran.err
    assert people[0]["password"], "the first start was not used up"


@pytest.mark.parametrize("words", [["--host", "192.0.2.1"], ["--host", "no host"]])
def test_an_address_that_is_none(main: None, cli: Cli, words: list[str]) -> None:
    assert "cannot be listened on" in cli("serve", "main:app", *words, code=2).err


def test_an_application_with_a_guard_of_its_own_keeps_it(policy: Path) -> None:
    """Guarded twice, every limit would be spent twice."""
    Path("main.py").write_text(
        MAIN.replace("app = FastAPI(openapi_url=None)\n", "app = FastAPI()\napp.add_middleware(Garrison)\n").replace(
            "import Principal, principal", "import Garrison, Principal, principal"
        ),
        "utf-8",
    )
    policy.write_text(
        policy.read_text("utf-8").replace("10/s burst 100", "1/h burst 2")
        + '[routes."GET /docs"]\npublic = true\nheaders = "docs"\nlimit = "10/s per address"\n',
        "utf-8",
    )
    with served() as server:
        statuses = [server.ask("GET", "/health").status for _ in range(3)]
        docs = server.told["docs"]
        page = server.ask("GET", "/docs")
        code, _, err = server.stop()

    assert statuses == [200, 200, 429]
    assert docs == f"{server.told['url']}/docs"
    assert page.status == 200
    assert (code, err) == (0, "")


def test_a_policy_that_would_be_ignored_is_refused(policy: Path, cli: Cli) -> None:
    Path("main.py").write_text("from garrison import GarrisonWSGI\napp = GarrisonWSGI(lambda e, s: [])\n", "utf-8")
    Path("other.toml").write_text(policy.read_text("utf-8"), "utf-8")

    assert "leave --policy out" in cli("serve", "main:app", "--policy", "other.toml", "--port", "0", code=2).err


@pytest.mark.parametrize("source", ["app = 1\n", "app = None\n"])
def test_what_is_no_application(policy: Path, cli: Cli, source: str) -> None:
    Path("main.py").write_text(source, "utf-8")

    assert "is no application" in cli("serve", "main:app", code=2).err


RAW = {
    "asgi": """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
""",
    "asgi with lifespan": """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind.endswith("shutdown"):
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
""",
    "wsgi": """
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
""",
    "starlette": """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def health(request):
    return PlainTextResponse(request.url.path)
app = Starlette(routes=[Route("/health", health)])
""",
    "flask": """
from flask import Flask, request
app = Flask(__name__)
@app.get("/health")
def health():
    return request.path
""",
    "flask guarded": """
from flask import Flask, request
from garrison.flask import Garrison
app = Flask(__name__)
Garrison(app)
@app.get("/health")
def health():
    return request.path
""",
    "django": """
import sys
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("health", lambda request: HttpResponse(request.path))]
settings.configure(ROOT_URLCONF="main", SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"])
app = get_wsgi_application()
""",
    "django guarded": """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("health", lambda request: HttpResponse(request.path))]
settings.configure(
    ROOT_URLCONF="main", SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], MIDDLEWARE=["garrison.django.Garrison"]
)
app = get_wsgi_application()
""",
}


@pytest.mark.parametrize("kind", RAW)
def test_every_kind_of_application_is_served_behind_one_guard(policy: Path, kind: str) -> None:
    Path("main.py").write_text(RAW[kind], "utf-8")
    policy.write_text(policy.read_text("utf-8").replace("10/s burst 100", "1/h burst 2"), "utf-8")
    with served() as server:
        answers = [server.ask("GET", "/health") for _ in range(3)]
        unknown = server.ask("GET", "/nothing")
        code, _, err = server.stop()

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[0].body == b"/health"
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    assert unknown.status == 404
    assert (code, "Traceback" in err) == (0, False)


def test_an_application_that_does_not_start_ends_the_server(policy: Path) -> None:
    """Its own fault is shown with its place, and the first start is not used up: nobody has seen its passwords."""
    Path("main.py").write_text(
        MAIN.replace("openapi_url=None", "openapi_url=None, lifespan=broken").replace(
            "app = ", 'async def broken(app: FastAPI):\n    raise OSError("no database")\n    yield\n\n\napp = '
        ),
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "garrison", "serve", "main:app", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 3
    assert "OSError: no database" in done.stderr
    assert done.stdout == ""
    Path("main.py").write_text(MAIN, "utf-8")
    with served() as server:
        assert server.told["people"]
