"""A single-use thing is presented in several processes at once: it works once (RFC 6749 section 10.5, CWE-367)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from garrison.stores.protocols import Put
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.storm import drive, surroundings

SPENDER = """
import sys
from garrison.stores.protocols import Add, Consume, Fewer, Put
from garrison.stores.sqlite.store import SqliteStore
from tests.stores.storm import KEY, KINDS, THING, ManualClock, Thing, drive
store = SqliteStore(sys.argv[1], ManualClock(), KINDS, KEY)
steps = {
    "mark": lambda n, me: [Put(THING, Thing(id=f"jti-{n}"))],
    "code": lambda n, me: [Consume(THING, f"code-{n}"), Put(THING, Thing(id=f"grant-{n}-{me}"))],
    "uses": lambda n, me: [Add(THING, "coupon", "count", -1)],
    "place": lambda n, me: [Fewer(THING, "owner", "ada", 7), Put(THING, Thing(id=f"session-{n}-{me}", owner="ada"))],
}[sys.argv[2]]
print("ready", flush=True)
sys.stdin.readline()
print(sum(drive(store.driven().commit(steps(n, sys.argv[3]))).done for n in range(40)))
store.close()
"""


@pytest.mark.parametrize(("what", "worth"), [("mark", 40), ("code", 40), ("uses", 25), ("place", 7)])
def test_three_processes_together_get_no_more_than_one_would(tmp_path: Path, what: str, worth: int) -> None:
    """Forty marks, forty codes, a coupon for 25 uses, seven places: never one more, never one less."""
    path = tmp_path / "x.db"
    store = SqliteStore(path, ManualClock(), KINDS, KEY)
    steps = [Put(THING, Thing(id=f"code-{number}")) for number in range(40)]
    assert drive(store.driven().commit([*steps, Put(THING, Thing(id="coupon", count=25))])).done
    store.close()
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, str(path), what, f"p{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=surroundings(),
        )
        for number in range(3)
    ]
    for process in crowd:
        assert process.stdout is not None
        process.stdout.readline()
    outputs = [process.communicate(b"go\n")[0] for process in crowd]

    assert sum(int(output) for output in outputs) == worth
