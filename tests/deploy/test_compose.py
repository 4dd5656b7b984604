"""The compose file is sound, its services are hardened, and what it mounts works with the real servers."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from hashlib import pbkdf2_hmac, sha256
from hmac import digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import redis
import yaml

from tests.cli.serving.world import served
from tests.deploy.places import DEPLOY, ROOT, in_venv, judged, policies
from tests.stores.postgres_server import postgres
from tools.cluster import programs
from tools.cluster.files import proxy

COMPOSE = DEPLOY / "compose"
TEXT = (COMPOSE / "compose.yaml").read_text("utf-8")
FILE = yaml.safe_load(TEXT)
SERVICES = FILE["services"]


def lint(path: Path) -> tuple[bool, str]:
    return judged(in_venv("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path)


def test_the_schema_holds() -> None:
    assert lint(COMPOSE / "compose.yaml")[0]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("read_only: true", "readonly: true"),
        ("mem_limit: 128m", "mem_limit: [128m]"),
        ("condition: service_healthy", "condition: service_well"),
        ("services:\n", "service:\n"),
        ("cap_drop: [ALL]", "cap_drop: ALL"),
        ("stop_grace_period: 60s", "stop_grace_period: 60"),
    ],
)
def test_the_schema_finds_what_is_planted(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in TEXT
    (tmp_path / "compose.yaml").write_text(TEXT.replace(right, wrong), "utf-8")

    assert not lint(tmp_path / "compose.yaml")[0]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_little_beyond_its_work(name: str) -> None:
    service: dict[str, Any] = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not service.get("privileged")
    assert not any("docker.sock" in volume for volume in service.get("volumes", []))
    assert not any("password" in str(value).lower() for key, value in _variables(service) if "FILE" not in key)


def _variables(service: dict[str, Any]) -> list[tuple[str, str]]:
    return [pair for pair in service.get("environment", {}).items() if pair[0] != "POSTGRES_INITDB_ARGS"]


def test_nginx_alone_is_reached_from_outside_and_the_servers_from_no_network() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:8080:8080"]
    assert {SERVICES[name]["network_mode"] for name in ("postgres", "valkey")} == {"none"}
    assert FILE["networks"]["behind"]["internal"]


def test_the_policy_believes_nginx_and_what_stands_before_it() -> None:
    addresses = SERVICES["nginx"]["networks"]["behind"]["ipv4_address"], FILE["networks"]["before"]["ipam"]["config"]

    assert f'peers = ["{addresses[0]}/32", "{addresses[1][0]["gateway"]}/32"]' in policies()["compose"]


def test_every_file_that_is_mounted_is_there(drawn: Path) -> None:
    assert all((COMPOSE / each["file"]).is_file() for each in FILE["configs"].values())
    assert all((drawn / each["file"]).is_file() for each in FILE["secrets"].values())


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A copy of the folder whose secrets were drawn, by whoever runs the tests instead of root."""
    copy = shutil.copytree(COMPOSE, tmp_path / "compose", ignore=shutil.ignore_patterns("secrets"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "chown").symlink_to(shutil.which("true") or "true")
    draw(copy)
    return copy


def draw(folder: Path) -> None:
    path = f"{folder.parent / 'bin'}:{os.environ['PATH']}"
    subprocess.run([folder / "secrets.sh"], check=True, env={**os.environ, "PATH": path})


def test_secrets_are_drawn_once_and_are_readable_by_nobody_else(drawn: Path) -> None:
    before = {path.name: path.read_text() for path in (drawn / "secrets").iterdir()}

    draw(drawn)

    assert {path.name: path.read_text() for path in (drawn / "secrets").iterdir()} == before
    assert all(path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP) == 0 for path in (drawn / "secrets").iterdir())
    words = [text for name, text in before.items() if name != "counters.acl"]
    assert len({*words}) == len(words) == 5
    assert all(len(word) == 43 for word in words)


@pytest.fixture
def counters(drawn: Path) -> Iterator[Path]:
    """The folder of a Valkey that runs with the settings as they are, but for its folders."""
    with TemporaryDirectory(prefix="garrison-valkey-") as name:
        folder, settings = Path(name), (drawn / "valkey.conf").read_text()
        for of_container, here in (("/run/valkey", folder), ("/run/secrets", drawn / "secrets"), ("/data", folder)):
            settings = settings.replace(of_container, str(here))
        (folder / "valkey.conf").write_text(settings)
        server = subprocess.Popen([programs.valkey(), folder / "valkey.conf"], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            assert any("ready to accept connections" in line.lower() for line in server.stdout)
            yield folder
        finally:
            server.terminate()
            server.communicate(timeout=30)


def test_valkey_lets_the_counters_user_count_and_nobody_else(drawn: Path, counters: Path) -> None:
    place, word = str(counters / "valkey.sock"), (drawn / "secrets" / "counters").read_text()

    with redis.Redis(unix_socket_path=place, username="garrison", password=word) as client:
        assert client.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.keys("*")
    with redis.Redis(unix_socket_path=place) as nobody, pytest.raises(redis.exceptions.AuthenticationError):
        nobody.ping()


def test_a_worker_serves_over_sockets_alone(drawn: Path, counters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy and the variables as they are, but for folders and the names of databases."""
    records, tasks = postgres().database(), postgres().database()
    policy = policies()["compose"].replace("postgresql://garrison@/garrison?host=/run/postgresql", records)
    policy = policy.replace("/run/valkey", str(counters)).replace("/run/secrets", str(drawn / "secrets"))
    (drawn / "garrison.toml").write_text(policy)
    variables = SERVICES["worker-1"]["environment"]
    assert variables["TASKS_DB"].startswith("postgresql://tasks@/tasks?host=/")
    monkeypatch.setenv("TASKS_DB", tasks)
    monkeypatch.setenv(
        "TASKS_DB_PASSWORD_FILE", str(drawn / "secrets" / Path(variables["TASKS_DB_PASSWORD_FILE"]).name)
    )
    monkeypatch.setenv("TASKS_POLICY", str(drawn / "garrison.toml"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])))
    person = {"username": "ada", "email": "ada@tasks.example", "password": "correct horse battery staple 9"}

    with served("examples.tasks.main:app", environment="production") as worker:
        named = {"Host": "api.tasks.example", "Content_Type": "application/json"}
        made = worker.ask("POST", "/api/auth/register", json.dumps(person).encode(), **named)
        bearer = {**named, "Authorization": f"Bearer {made.json['token']}"}
        task = worker.ask("POST", "/api/tasks", b'{"title": "deployed"}', **bearer)
        foreign = worker.ask("GET", "/ready")
        ready = worker.ask("GET", "/ready", None, **named)

    assert (made.status, task.status, foreign.status, ready.status) == (201, 201, 421, 200)


def test_the_databases_are_made_with_their_passwords(tmp_path: Path) -> None:
    """The script as it is, with names of its own: the server is one that all tests share."""
    script = (COMPOSE / "databases.sh").read_text().replace("garrison tasks", "deployed_one deployed_two")
    (tmp_path / "databases.sh").write_text(script.replace("/run/secrets/", f"{tmp_path}/"))
    for name in ("deployed_one", "deployed_two"):
        (tmp_path / name).write_text(f'word of {name}; it\'s "quoted"')
    url = postgres().database()
    host = url.rpartition("host=")[2].partition("&")[0]
    psql = Path(programs.postgres("psql")).parent

    subprocess.run(
        ["sh", tmp_path / "databases.sh"],
        check=True,
        env={"PATH": f"{psql}:{os.environ['PATH']}", "PGHOST": host, "POSTGRES_USER": "garrison"},
        stdout=subprocess.DEVNULL,
    )

    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT datname, rolname, rolpassword FROM pg_database JOIN pg_authid ON datdba = pg_authid.oid"
            " WHERE datname LIKE 'deployed%' ORDER BY 1"
        ).fetchall()
    assert [row[:2] for row in rows] == [(name, name) for name in ("deployed_one", "deployed_two")]
    assert all(fits((tmp_path / name).read_text(), kept) for name, _, kept in rows)


def fits(password: str, kept: str) -> bool:
    """Tell whether PostgreSQL would take the password: RFC 5802 section 3, as it keeps it."""
    _, tries, keys = kept.split("$")
    count, salt = tries.split(":")
    salted = pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(count))
    return sha256(digest(salted, b"Client Key", "sha256")).digest() == b64decode(keys.split(":")[0])


def test_nginx_is_set_as_the_one_that_the_cluster_is_tested_with() -> None:
    """But for addresses, folders, and how long a slow answer may take."""
    own = ("server 1", "listen", "proxy_read_timeout", "proxy_bind", "X-Forwarded-Proto", "_temp_path", "pid ")
    texts = (COMPOSE / "nginx.conf").read_text("utf-8"), proxy(8080, COMPOSE, [8000])
    deployed, tested = (
        {
            line.strip()
            for line in text.splitlines()
            if not any(each in line for each in (*own, "#", "daemon", "processes"))
        }
        for text in texts
    )

    assert deployed == tested


def test_nginx_takes_its_settings() -> None:
    assert judged(programs.nginx(), "-t", "-q", "-c", COMPOSE / "nginx.conf") == (True, "")


@pytest.mark.parametrize(
    ("right", "wrong"), [("keepalive 64;", "keepalive 64"), ("proxy_http_version", "proxy_version")]
)
def test_nginx_finds_what_is_planted(tmp_path: Path, right: str, wrong: str) -> None:
    text = (COMPOSE / "nginx.conf").read_text("utf-8")
    assert right in text
    (tmp_path / "nginx.conf").write_text(text.replace(right, wrong), "utf-8")

    assert not judged(programs.nginx(), "-t", "-q", "-c", tmp_path / "nginx.conf").held
