"""The table of one kind: its columns, and every statement that is ever sent to it.

The JSON column holds the whole record; version, expiry and the indexed fields stand beside it in columns of
their own, which the database sorts and compares. So a read decodes one text, and a new index can be filled
from what is there. Names come from a checked kind; values are always bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from garrison.stores.kinds import Shape

if TYPE_CHECKING:
    from garrison.stores.protocols import Kind, Record
    from garrison.stores.sql.dialect import Dialect

__all__ = ["Row", "Table"]

Row: TypeAlias = "tuple[str | int | bytes, ...]"


class Table:
    """Statements of one kind."""

    __slots__ = ("columns", "count", "drop", "find", "get", "name", "put", "shape", "stand", "state", "sweep", "take")

    def __init__(self, kind: Kind, dialect: Dialect) -> None:
        """Write the statements for a database.

        Raises:
            UsageError: The kind is malformed.
        """
        self.shape = shape = Shape(kind)
        self.name = name = f'"{kind.name}"'
        self.columns = ("key", "version", "expires", *[f"i_{field}" for field in shape.found], "body")
        live = "(expires = 0 OR expires > ?{})"
        self.get = f"SELECT body FROM {name} WHERE key = ?1"
        self.state = f"SELECT version, expires FROM {name} WHERE key = ?1"
        self.drop = f"DELETE FROM {name} WHERE key = ?1"
        marks = ", ".join(f"?{number}" for number in range(1, len(self.columns)))
        body = dialect.text.format(f"?{len(self.columns)}")
        changes = ", ".join(f"{column} = excluded.{column}" for column in self.columns[1:])
        self.put = (
            f"INSERT INTO {name} ({', '.join(self.columns)}) VALUES ({marks}, {body}) "
            f"ON CONFLICT (key) DO UPDATE SET {changes}"
        )
        self.stand = {
            field: f"SELECT key, expires FROM {name} WHERE i_{field} = ?1 AND i_{field} <> ''" for field in shape.unique
        }
        # The words `<> ''` let the database use an index that leaves empty values out.
        under = {field: f"i_{field} = ?1 AND i_{field} <> ''" for field in shape.found} | {"": "?1 = ''"}
        self.find = {
            field: f"SELECT body, key FROM {name} WHERE {where} AND key > ?2 AND {live.format(3)} ORDER BY key LIMIT ?4"
            for field, where in under.items()
        }
        self.count = {
            field: f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {where} AND {live.format(2)} LIMIT ?3) AS found"
            for field, where in under.items()
        }
        dead = f"SELECT key FROM {name} WHERE expires > 0 AND expires <= ?1 LIMIT ?2"
        self.sweep = f"DELETE FROM {name} WHERE key IN ({dead})" if shape.expires else ""

    def row(self, record: Record) -> Row:
        """Write a record as its row.

        Raises:
            UsageError: It cannot be stored.
        """
        shape = self.shape
        key = shape.key(record)
        return (key, record.version, shape.deadline(record), *shape.values(record), shape.encode(record))
