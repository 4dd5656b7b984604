"""The PostgreSQL of a cluster: its files, and a database with its user for Garrison's records and one for the tasks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from tools.cluster import programs
from tools.cluster.files import server_of_records
from tools.cluster.part import ClusterError

__all__ = ["answers", "make_database", "make_files"]

_OWNER = "operator"
"""The superuser; Garrison's user is not it."""


def make_files(folder: Path, port: int, password: str) -> None:
    """Make the files of the server unless they are there, and write its settings.

    Args:
        folder: Becomes the server's own.
        port: Where it will listen.
        password: Of its superuser.

    Raises:
        ClusterError: Whoever the server runs as cannot get there.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    account = programs.postgres_account()
    if account:
        shutil.chown(folder, account)
    _check_reach(folder, account)
    data, first = folder / "data", folder / "first"
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)  # half made, by a start that was interrupted
        _write(first, password, account)
        _run(account, programs.postgres("initdb"), "-D", data, "-U", _OWNER, "-A", "scram-sha-256", f"--pwfile={first}")
        first.unlink()
    _write(data / "postgresql.conf", server_of_records(port), account)


def make_database(port: int, owner: str, name: str, password: str) -> None:
    """Make a database and a user of its name, unless they are there; the password is the one that is kept now."""
    known = sql.Identifier(name)
    with _connection(port, owner) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(known))
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(known, sql.Literal(password)))
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            made = "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0"
            connection.execute(sql.SQL(made).format(known, known))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(known))


def answers(port: int, owner: str) -> bool:
    """Tell whether the server can be used."""
    try:
        with _connection(port, owner):
            return True
    except psycopg.OperationalError:
        return False


def _connection(port: int, password: str) -> psycopg.Connection:
    place = f"host=127.0.0.1 port={port} dbname=postgres user={_OWNER} connect_timeout=5"
    return psycopg.connect(place, password=password, autocommit=True)


def _check_reach(folder: Path, account: str) -> None:
    if account and subprocess.run([*_as(account), "test", "-w", folder], check=False).returncode:
        msg = f"PostgreSQL runs as the user {account}, who cannot get to {folder}; let others pass its parent folders"
        raise ClusterError(msg)


def _run(account: str, *words: object) -> None:
    done = subprocess.run([*_as(account), *map(str, words)], check=False, capture_output=True, text=True, cwd="/")
    if done.returncode:
        msg = f"{words[0]}: {done.stderr.strip()}"
        raise ClusterError(msg)


def _as(account: str) -> list[str]:
    return ["setpriv", f"--reuid={account}", f"--regid={account}", "--init-groups"] if account else []


def _write(path: Path, text: str, account: str) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    if account:
        shutil.chown(path, account)
