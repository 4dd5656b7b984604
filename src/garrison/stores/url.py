"""The URL of a store, read here and nowhere else: what a policy takes is what a store opens.

| URL | store |
|---|---|
| `memory:` | ends with the process |
| `sqlite:PATH` | one file; a relative path begins at the working directory |
| `postgresql://USER@HOST:PORT/DATABASE` | a database; over a socket `postgresql:///DATABASE?host=/run/postgresql` |
"""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import unquote

from garrison.errors import UsageError

__all__ = ["is_file", "read", "read_counters"]

# Without what opens a query or a fragment where a path is written as a URL, as SQLite itself may do.
_SQLITE = re.compile(r"[^\x00-\x1f?#]+")


_POSTGRES = re.compile(
    r"//(?:[A-Za-z0-9_.~%-]+@)?(?P<host>[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?/[A-Za-z0-9_.~%-]+(?:\?(?P<query>[!-~]+))?"
)
_PARAMETER = re.compile(r"(?P<name>[a-z_]+)=(?P<value>[A-Za-z0-9_./~%-]+)")
_PARAMETERS = frozenset(("application_name", "host", "port", "sslcert", "sslkey", "sslmode", "sslrootcert", "user"))
"""What may stand in the query. Clients take far more, and some of it says where to connect whatever stands before it:
`hostaddr`, `service`, several hosts."""

_NODE = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_REDIS = re.compile(
    rf"(?:(?P<scheme>rediss?)(?:://(?:[A-Za-z0-9_.~%-]+@)?(?P<one>{_NODE})"
    rf"|\+cluster://(?:[A-Za-z0-9_.~%-]+@)?(?P<many>{_NODE}(?:,{_NODE})*))(?:/0?)?"
    r"|unix://(?:[A-Za-z0-9_.~%-]+@)?/[^\x00-\x20?#]+)"
)
_NODE_PORT = re.compile(r":\d+$")
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))


def read(url: str) -> tuple[str, str]:
    """Take a URL apart into its scheme and the rest.

    Raises:
        UsageError: No store has this scheme, or the rest of the URL is wrong for it. The rest is not repeated: a URL
            may hold a password.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "postgresql":
        _judge_postgres(rest)
        return scheme, rest
    if url != "memory:" and not (scheme == "sqlite" and _SQLITE.fullmatch(rest) and is_file(rest)):
        msg = f"{scheme[:40]!r} with what follows it names no store; use memory:, sqlite:PATH or postgresql:URL"
        raise UsageError(msg)
    return scheme, rest


def _judge_postgres(rest: str) -> None:
    """Refuse what is no URL of a database, holds a password, or would send everything for anybody to read.

    Raises:
        UsageError: It is, without repeating it.
    """
    found = _POSTGRES.fullmatch(rest)
    if found is None:
        msg = "write postgresql://USER@HOST:PORT/DATABASE, and where the password is under [stores] password"
        raise UsageError(msg)
    asked = _parameters(found["query"] or "")
    host, folder = found["host"], asked.get("host", "/")
    # A comma, encoded or not, begins another host.
    if not folder.startswith("/") or "," in folder or (host and "host" in asked):
        msg = "host names the folder of a socket, in place of a machine"
        raise UsageError(msg)
    if host and host not in _LOOPBACK and asked.get("sslmode") != "verify-full":
        # Anything less lets whoever sits between read every key's MAC, or be the database.
        msg = f"{host} is another machine; add ?sslmode=verify-full"
        raise UsageError(msg)


def _parameters(query: str) -> dict[str, str]:
    """Read a query in which every client reads the same.

    Raises:
        UsageError: A parameter that is not known, stands twice, or could be read in two ways; without its value.
    """
    found: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        parameter = _PARAMETER.fullmatch(pair)
        name = parameter["name"] if parameter else ""
        if parameter is None or name not in _PARAMETERS or name in found:
            secret = "; where the password is stands under [stores] password" if name.startswith("pass") else ""
            msg = f"after the ? may stand {', '.join(sorted(_PARAMETERS))}, each once, in plain letters{secret}"
            raise UsageError(msg)
        found[name] = unquote(parameter["value"])
    return found


def read_counters(url: str) -> str:
    """Give the URL of counters as it is.

    Raises:
        UsageError: It names no counters, holds a password, or would send everything for anybody to read or change.
    """
    if url in {"memory:", "records:"}:
        return url
    found = _REDIS.fullmatch(url)
    if found is None:
        msg = (
            "write memory:, records:, redis://USER@HOST:PORT, rediss:// for TLS, rediss+cluster://USER@HOST:PORT,HOST:PORT"
            " or unix:///PATH, without a password"
        )
        raise UsageError(msg)
    if found["scheme"] == "redis":
        for node in (found["one"] or found["many"]).split(","):
            host = _NODE_PORT.sub("", node)
            if host not in _LOOPBACK:
                msg = f"{host} is another machine; write rediss{'+cluster' if found['many'] else ''}://"
                raise UsageError(msg)
    return url


def is_file(path: str) -> bool:
    """Tell whether a path can be that of a file, and is none of SQLite's special names."""
    name = PurePath(path).name
    return name != "" and not name.startswith((":", "file:")) and "\0" not in path
