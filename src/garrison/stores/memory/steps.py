"""The steps of a commit over tables in memory: each either happens or names the condition that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from garrison.stores.kinds import UnmetError, known, storable, summed
from garrison.stores.protocols import Add, Consume, Drop, Fewer, Put, Require

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.stores.memory.tables import Table
    from garrison.stores.protocols import Kind, Record, Step

__all__ = ["Undo", "apply"]

Undo: TypeAlias = "list[tuple[Table, str, Record | None]]"
"""What stood under each changed key before, oldest change first."""


def apply(step: Step, table: Callable[[Kind], Table], now: int, undo: Undo) -> Record | None:
    """Apply one step and note how to undo it.

    Returns:
        What was put, added to or consumed; None for a step without a record.

    Raises:
        UnmetError: Its condition does not hold; nothing was changed.
        UsageError: It can never be right.
    """
    return known(step, _DO)(step, table(step.kind), now, undo)


def _put(step: Put, table: Table, now: int, undo: Undo) -> Record:
    shape, record = table.shape, step.record
    key = shape.key(record)
    stored = table.live(key, now)
    if stored is None and record.version:
        raise UnmetError("missing")
    if stored is not None and stored.version != record.version:
        raise UnmetError("version" if record.version else "absent")
    return _store(table, key, replace(record, version=record.version + 1), now, undo)


def _store(table: Table, key: str, record: Record, now: int, undo: Undo) -> Record:
    shape = table.shape
    shape.encode(record)
    shape.values(record)
    for name in shape.unique:
        for other in table.standing(name, getattr(record, name)):
            if other != key and table.live(other, now) is not None:
                raise UnmetError(f"unique:{name}")
    undo.append((table, key, table.set(key, record)))
    return record


def _add(step: Add, table: Table, now: int, undo: Undo) -> Record:
    table.shape.field(step.field)
    changed = summed(_existing(table, step.key, now), step)
    if changed is None:
        raise UnmetError(f"field:{step.field}")
    return _store(table, step.key, changed, now, undo)


def _consume(step: Consume, table: Table, now: int, undo: Undo) -> Record:
    stored = _existing(table, step.key, now)
    if step.version is not None and stored.version != step.version:
        raise UnmetError("version")
    undo.append((table, step.key, table.set(step.key, None)))
    return stored


def _drop(step: Drop, table: Table, now: int, undo: Undo) -> None:
    undo.append((table, step.key, table.set(step.key, None)))


def _require(step: Require, table: Table, now: int, undo: Undo) -> None:
    field = table.shape.field(step.field)
    value = getattr(_existing(table, step.key, now), field)
    if type(value) is not type(step.value) or value != step.value:
        raise UnmetError(f"field:{step.field}")


def _fewer(step: Fewer, table: Table, now: int, undo: Undo) -> None:
    table.shape.findable(step.index)
    standing = table.standing(step.index, step.value) if storable(step.value) or not step.index else []
    if sum(table.live(key, now) is not None for key in standing) >= step.than:
        raise UnmetError("fewer")


def _existing(table: Table, key: str, now: int) -> Record:
    stored = table.live(key, now)
    if stored is None:
        raise UnmetError("missing")
    return stored


_DO: dict[type, Callable[[Any, Table, int, Undo], Record | None]] = {
    Put: _put,
    Add: _add,
    Consume: _consume,
    Drop: _drop,
    Require: _require,
    Fewer: _fewer,
}
