"""`garrison jobs`: the work beside the requests, done once, for a timer or before a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.cli.options import POLICY, Json, PolicyFile, commands
from garrison.cli.screen import rows, show

if TYPE_CHECKING:
    from garrison.runtime.runtime import Runtime

__all__ = ["app", "run"]

app = commands()

_PAGE = 1_000
"""Records or events that are removed in one step, so that a serving process never waits for long."""


@app.callback()
def _group() -> None:
    """Do the work beside the requests."""


@app.command()
def run(policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Do once what a serving process does from time to time: clean up, retire signing keys.

    Safe beside a running server, and as often as you like.
    """
    from garrison.cli.workspace import opened

    with opened(policy) as runtime:
        done = _done(runtime)
    if json:
        show(done)
    else:
        rows(("job", "done"), list(done.items()))


def _done(runtime: Runtime) -> dict[str, int]:
    from garrison.guard.drive import drive
    from garrison.model.units import duration

    side, now = runtime.driven_side, runtime.clock.wall()
    kept = now - duration(runtime.policy.audit.keep)
    done = {"expired records removed": 0, "old events removed": 0}
    while removed := drive(side.face.sweep(_PAGE)):
        done["expired records removed"] += removed
    while removed := drive(side.face.trim(kept, _PAGE)):
        done["old events removed"] += removed
    if side.trust.signing is not None:
        drive(side.trust.signing.advance(now, runtime.randomness))
        done["signing keys looked after"] = 1
    return done
