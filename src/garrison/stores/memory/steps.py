"""The steps of a commit over tables in memory: each either happens or names the condition that failed.

All steps of a commit are checked (`prepare`) before the first one runs, so that misuse changes nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from garrison.stores.kinds import UnmetError, known, storable, summed
from garrison.stores.protocols import Add, Consume, Drop, Fewer, Put, Require

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.stores.memory.tables import Table
    from garrison.stores.protocols import Kind, Record, Step

    Undo: TypeAlias = list[tuple[Table, str, Record | None]]
    Act: TypeAlias = Callable[[int, Undo], Record | None]

__all__ = ["prepare"]


def prepare(step: Step, table: Callable[[Kind], Table]) -> Act:
    """Check one step and make what runs.

    Returns:
        A function of the instant and of a list that notes what stood under each key it changes. It returns
        what was put, added to or consumed, and raises `UnmetError` when the condition does not hold.

    Raises:
        UsageError: It can never be right.
    """
    return known(step, _MAKE)(step, table(step.kind))


def _put(step: Put, table: Table) -> Act:
    key = table.shape.key(step.record)
    record = replace(step.record, version=step.record.version + 1)
    table.shape.values(record)
    table.shape.encode(record)
    return partial(_do_put, table, key, record)


def _do_put(table: Table, key: str, record: Record, now: int, undo: Undo) -> Record:
    stored, expected = table.live(key, now), record.version - 1
    if stored is None and expected:
        raise UnmetError("missing")
    if stored is not None and stored.version != expected:
        raise UnmetError("version" if expected else "absent")
    return _store(table, key, record, now, undo)


def _store(table: Table, key: str, record: Record, now: int, undo: Undo) -> Record:
    for name in table.shape.unique:
        for other in table.standing(name, getattr(record, name)):
            if other != key and table.live(other, now) is not None:
                raise UnmetError(f"unique:{name}")
    undo.append((table, key, table.set(key, record)))
    return record


def _add(step: Add, table: Table) -> Act:
    table.shape.field(step.field)
    return partial(_do_add, table, step)


def _do_add(table: Table, step: Add, now: int, undo: Undo) -> Record:
    changed = summed(_existing(table, step.key, now), step)
    if changed is None:
        raise UnmetError(f"field:{step.field}")
    table.shape.values(changed)
    return _store(table, step.key, changed, now, undo)


def _consume(step: Consume, table: Table) -> Act:
    return partial(_do_consume, table, step)


def _do_consume(table: Table, step: Consume, now: int, undo: Undo) -> Record:
    stored = _existing(table, step.key, now)
    if step.version is not None and stored.version != step.version:
        raise UnmetError("version")
    undo.append((table, step.key, table.set(step.key, None)))
    return stored


def _drop(step: Drop, table: Table) -> Act:
    return partial(_do_drop, table, step.key)


def _do_drop(table: Table, key: str, now: int, undo: Undo) -> None:  # one form for every step
    undo.append((table, key, table.set(key, None)))


def _require(step: Require, table: Table) -> Act:
    table.shape.field(step.field)
    return partial(_do_require, table, step)


def _do_require(table: Table, step: Require, now: int, undo: Undo) -> None:
    value = getattr(_existing(table, step.key, now), step.field)
    if type(value) is not type(step.value) or value != step.value:
        raise UnmetError(f"field:{step.field}")


def _fewer(step: Fewer, table: Table) -> Act:
    table.shape.findable(step.index)
    return partial(_do_fewer, table, step)


def _do_fewer(table: Table, step: Fewer, now: int, undo: Undo) -> None:
    standing = table.standing(step.index, step.value) if storable(step.value) or not step.index else []
    if sum(table.live(key, now) is not None for key in standing) >= step.than:
        raise UnmetError("fewer")


def _existing(table: Table, key: str, now: int) -> Record:
    stored = table.live(key, now)
    if stored is None:
        raise UnmetError("missing")
    return stored


_MAKE: dict[type, Callable[[Any, Table], Act]] = {
    Put: _put,
    Add: _add,
    Consume: _consume,
    Drop: _drop,
    Require: _require,
    Fewer: _fewer,
}
