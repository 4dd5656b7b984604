"""The steps of a commit inside a write transaction: each either happens or names the condition that failed.

A step is checked and encoded in the caller's thread (`prepare`); what it returns runs in the writer's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from garrison.stores.kinds import UnmetError, at_most, known, storable, summed
from garrison.stores.protocols import Add, Consume, Drop, Fewer, Put, Require, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.stores.protocols import Kind, Record
    from garrison.stores.sql.dialect import Connection
    from garrison.stores.sql.table import Row, Table

    Act: TypeAlias = Callable[[Connection, int], Record | None]

__all__ = ["prepare"]


def prepare(step: Step, table: Callable[[Kind], Table]) -> Act:
    """Check one step and make what the writer runs.

    Returns:
        A function of the writer's connection and the instant, which returns what was put, added to or
        consumed, and raises `UnmetError` when the condition does not hold.

    Raises:
        UsageError: It can never be right.
    """
    return known(step, _MAKE)(step, table(step.kind))


def _put(step: Put, table: Table) -> Act:
    record = replace(step.record, version=step.record.version + 1)
    return partial(_do_put, table, record, table.row(record))


def _do_put(table: Table, record: Record, row: Row, connection: Connection, now: int) -> Record:
    stored = connection.execute(table.state, row[:1]).fetchone()
    expected = record.version - 1
    if stored is None or 0 < stored[1] <= now:
        if expected:
            raise UnmetError("missing")
    elif stored[0] != expected:
        raise UnmetError("version" if expected else "absent")
    return _write(table, record, row, connection, now)


def _write(table: Table, record: Record, row: Row, connection: Connection, now: int) -> Record:
    execute = connection.execute
    for field, statement in table.stand.items():
        value = getattr(record, field)
        for other, expires in execute(statement, (value,)).fetchall() if value else ():
            if other == row[0]:
                continue
            if not 0 < expires <= now:
                raise UnmetError(f"unique:{field}")
            # Expired but still there: as if absent, so its value is free.
            execute(table.drop, (other,))
    execute(table.put, row)
    return record


def _stored(table: Table, key: str, connection: Connection, now: int) -> Record:
    row = connection.execute(table.get, (key,)).fetchone() if storable(key) else None
    record: Record | None = table.shape.decode(row[0], key) if row is not None else None
    if record is None or not table.shape.live(record, now):
        raise UnmetError("missing")
    return record


def _add(step: Add, table: Table) -> Act:
    table.shape.field(step.field)
    return partial(_do_add, table, step)


def _do_add(table: Table, step: Add, connection: Connection, now: int) -> Record:
    changed = summed(_stored(table, step.key, connection, now), step)
    if changed is None:
        raise UnmetError(f"field:{step.field}")
    return _write(table, changed, table.row(changed), connection, now)


def _consume(step: Consume, table: Table) -> Act:
    return partial(_do_consume, table, step)


def _do_consume(table: Table, step: Consume, connection: Connection, now: int) -> Record:
    stored = _stored(table, step.key, connection, now)
    if step.version is not None and stored.version != step.version:
        raise UnmetError("version")
    connection.execute(table.drop, (step.key,))
    return stored


def _drop(step: Drop, table: Table) -> Act:
    return partial(_do_drop, table, step.key)


def _do_drop(table: Table, key: str, connection: Connection, now: int) -> None:  # one form for every step
    if storable(key):
        connection.execute(table.drop, (key,))


def _require(step: Require, table: Table) -> Act:
    table.shape.field(step.field)
    return partial(_do_require, table, step)


def _do_require(table: Table, step: Require, connection: Connection, now: int) -> None:
    value = getattr(_stored(table, step.key, connection, now), step.field)
    if type(value) is not type(step.value) or value != step.value:
        raise UnmetError(f"field:{step.field}")


def _fewer(step: Fewer, table: Table) -> Act:
    table.shape.findable(step.index)
    return partial(_do_fewer, table, step)


def _do_fewer(table: Table, step: Fewer, connection: Connection, now: int) -> None:
    value = step.value if step.index else ""
    standing = 0
    if not step.index or storable(value):
        (standing,) = connection.execute(table.count[step.index], (value, now, at_most(step.than))).fetchone()
    if standing >= step.than:
        raise UnmetError("fewer")


_MAKE: dict[type, Callable[[Any, Table], Act]] = {
    Put: _put,
    Add: _add,
    Consume: _consume,
    Drop: _drop,
    Require: _require,
    Fewer: _fewer,
}
