"""`make cluster`: start one under var/cluster, print what runs where, end it at Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from tools.cluster import PORTS, ROOT, Cluster, ClusterError

_ENDING = (signal.SIGINT, signal.SIGTERM)

_LOOK = 1.0
"""Seconds between two looks for parts that ended."""


def main() -> int:
    """Run a cluster until somebody ends it; 1 means that it did not start."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "cluster", help="keeps all of it")
    parser.add_argument("--port", type=int, default=8000, help="of nginx; the others follow it")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, also while it starts
    _let_pass(given.folder)
    try:
        cluster = Cluster(given.folder, range(given.port, given.port + PORTS))
        with cluster:
            # From here on they wait for `sigtimedwait`.
            signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
            _tell(cluster)
            _watch(cluster)
    except ClusterError as error:
        print(f"make cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    print("stopped")
    return 0


def _let_pass(folder: Path) -> None:
    """Let PostgreSQL's account through `var`, which `make run` makes for its owner alone; its files are so still."""
    var = ROOT / "var"
    if os.getuid() == 0 and var in folder.absolute().parents:
        var.mkdir(mode=0o711, exist_ok=True)
        var.chmod(var.stat().st_mode | 0o011)


def _tell(cluster: Cluster) -> None:
    rows = [("what", "where", "process", "log"), *((p.name, p.address, str(p.pid), str(p.log)) for p in cluster.parts)]
    for name, where, process, log in rows:
        print(f"{name:9} {where:16} {process:8} {log}")
    print(f"\nThe tasks API is served on http://{cluster.front.address}, Ctrl-C stops it. A first key:")
    environment, garrison = cluster.environment["GARRISON_ENV"], Path(sys.executable).with_name("garrison")
    print(f"  GARRISON_ENV={environment} {garrison} keys create demo --scopes tasks:read --policy {cluster.policy}")
    sys.stdout.flush()


def _watch(cluster: Cluster) -> None:
    """Wait for the end; a part that ends by itself is told once and left alone, as a machine would be that is gone."""
    gone: set[str] = set()
    while signal.sigtimedwait(_ENDING, _LOOK) is None:
        for part in cluster.parts:
            if not part.pid and part.name not in gone:
                gone.add(part.name)
                print(f"{part.name} has ended, see {part.log}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
