"""Rules about running: stores, workers, secrets, mode and journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.units import DAY, duration
from garrison.policy.lint.rule import Example, Found, at, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.lint.rule import Facts

__all__: list[str] = []

_SQLITE = '[stores]\nrecords = "sqlite:/var/lib/notes/garrison.db"'


@rule(
    "GP006",
    "error",
    bad=f"workers = 4\n{_SQLITE}",
    good=f'workers = 4\n{_SQLITE}\ncounters = "records:"',
)
def _counting_alone(facts: Facts) -> Iterator[Found]:
    """Several workers count in memory.

    Each counts alone, so every limit is as many times as large.
    """
    if facts.policy.workers > 1 and facts.policy.stores.counters == "memory:":
        text = f"{facts.policy.workers} workers would each count alone"
        yield Found(("workers",), text, 'Write counters = "records:" under [stores], or workers = 1')


@rule(
    "GP007",
    "error",
    bad="workers = 2",
    good=f'workers = 2\n{_SQLITE}\ncounters = "records:"',
)
def _keeping_alone(facts: Facts) -> Iterator[Found]:
    """Several workers keep their records in memory.

    A key that one of them revokes stays good in the others.
    """
    if facts.policy.workers > 1 and facts.policy.stores.records == "memory:":
        remedy = 'Write records = "sqlite:PATH" under [stores]'
        yield Found(("workers",), f"{facts.policy.workers} workers would each keep records of their own", remedy)


@rule("GP008", "warning", bad='service = "notes"', good=_SQLITE)
def _forgetting(facts: Facts) -> Iterator[Found]:
    """Records are kept in memory in production.

    Keys, users, revocations and the journal are gone after a restart.
    """
    if facts.production and facts.policy.stores.records == "memory:":
        remedy = 'Write records = "sqlite:PATH" under [stores]'
        yield Found(("stores", "records"), "forgets keys, revocations and journal at a restart", remedy)


@rule("GP009", "warning", bad='[stores]\nrecords = "sqlite:garrison.db"', good=_SQLITE)
def _wandering(facts: Facts) -> Iterator[Found]:
    """A store's path is relative in production.

    Started in another directory, the service begins with an empty store.
    """
    for field, url in facts.known("stores", ("records", "counters")):
        if facts.production and url.startswith("sqlite:") and not url.startswith("sqlite:/"):
            yield Found(("stores", field), "depends on the directory it is started in", "Write an absolute path")


@rule(
    "GP010",
    "warning",
    bad='service = "notes"',
    good='[secrets]\nroot = "file:/run/secrets/garrison"',
)
def _rootless(facts: Facts) -> Iterator[Found]:
    """No root key is named in production.

    Keys, tokens and the journal hang on it; without one the service does not start.
    """
    if facts.production and not facts.policy.secrets.root:
        yield Found(("secrets", "root"), "names no root key", 'Write root = "file:/run/secrets/garrison"')


@rule(
    "GP096",
    "error",
    bad='[secrets]\nroot = "env:ROOT"\nold_roots = ["env:ROOT"]',
    good='[secrets]\nroot = "env:ROOT"\nold_roots = ["env:OLD_ROOT"]',
)
def _root_twice(facts: Facts) -> Iterator[Found]:
    """The root key is listed among the former ones.

    Dropping the former ones would then drop the one in use.
    """
    for number, old in enumerate(facts.policy.secrets.old_roots):
        if old == facts.policy.secrets.root:
            yield Found(("secrets", "old_roots", number), "is the root key in use", "Remove it")


@rule("GP097", "warning", bad='mode = "observe"', good=Example('mode = "observe"', "staging"))
def _observing(facts: Facts) -> Iterator[Found]:
    """The whole policy only observes in production.

    Every refusal is recorded, and nothing is refused.
    """
    if facts.production and facts.policy.mode == "observe":
        yield Found(("mode",), "refuses nothing", 'Write "enforce" when the refusals have been looked at')


@rule(
    "GP098",
    "warning",
    bad='[routes]\n"GET /notes" = { mode = "observe" }',
    good='[routes]\n"GET /notes" = { mode = "enforce" }',
)
def _observing_route(facts: Facts) -> Iterator[Found]:
    """A route only observes in production.

    Its refusals are recorded, and nobody is refused.
    """
    for row in facts.written:
        if facts.production and row.whole.mode == "observe":
            yield at(row, "refuses nobody", "Remove mode when the refusals have been looked at", "mode")


@rule("GP099", "warning", bad='[audit]\nkeep = "7d"', good='[audit]\nkeep = "400d"')
def _short_memory(facts: Facts) -> Iterator[Found]:
    """The journal is kept for less than 90 days.

    Break-ins are found months later, and then nobody can tell what was done.
    """
    if duration(facts.policy.audit.keep) < 90 * DAY:
        yield Found(("audit", "keep"), "is less than 90 days", 'Write "400d"')


@rule("GP100", "warning", bad="[audit]\nrefusals_per_minute = 10000", good="[audit]\nrefusals_per_minute = 10")
def _flooded(facts: Facts) -> Iterator[Found]:
    """More than 1,000 refusals of one subject are recorded one by one each minute.

    Whoever is refused fills the disk.
    """
    if facts.policy.audit.refusals_per_minute > 1_000:
        yield Found(("audit", "refusals_per_minute"), "lets whoever is refused fill the disk", "Write 10")
