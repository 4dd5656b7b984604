"""What a store needs to know about a kind, worked out once: where its key is, what is indexed, when it expires.

Every store reads records through a `Shape`, so that all of them mean the same by live, indexed and malformed.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec.structs import replace

from garrison.errors import UnreadableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.stores.protocols import Add, Kind, Record

__all__ = ["Shape", "UnmetError", "at_most", "known", "storable", "summed"]

_NAME = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_FIELD = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_RESERVED = ("sqlite_", "garrison_")
W = TypeVar("W")
_BIGGEST = 2**63 - 1
_MOST = 2**31 - 1
_encode = msgspec.json.Encoder().encode


class UnmetError(Exception):
    """The condition of a step does not hold; ends a commit inside a store and never leaves it."""

    def __init__(self, condition: str) -> None:
        """Name the condition as `Outcome.condition` does."""
        super().__init__(condition)
        self.condition = condition
        self.step = 0


def known(step: object, ways: Mapping[type, W]) -> W:
    """Give the way in which a store does a step.

    Raises:
        UsageError: It is no step.
    """
    way = ways.get(type(step))
    if way is None:
        msg = f"{type(step).__name__} is no step of a commit"
        raise UsageError(msg)
    return way


def at_most(limit: int) -> int:
    """Give a limit as every database takes it: not negative, not beyond 31 bits."""
    return min(max(limit, 0), _MOST)


def storable(text: object) -> bool:
    """Tell whether a key or indexed value could be stored at all: text, not empty, without lone surrogates.

    A key that cannot be stored is simply not there; it comes from outside and is no fault.
    """
    if not isinstance(text, str) or not text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def summed(record: Record, step: Add) -> Record | None:
    """Give the record after an addition, with its next version; None when the sum is below what is allowed.

    Raises:
        UsageError: The field holds no whole number, or the sum is too large for any store.
    """
    value = getattr(record, step.field)
    if type(value) is not int or not -_BIGGEST <= value + step.amount <= _BIGGEST:
        msg = f"nothing can be added to {step.field} of {step.kind.name}"
        raise UsageError(msg)
    if value + step.amount < step.least:
        return None
    return replace(record, **{step.field: value + step.amount, "version": record.version + 1})


class Shape:
    """One kind, checked and ready for use."""

    __slots__ = ("_decode", "_key", "defaults", "expires", "found", "indexed", "kind", "names", "unique")

    def __init__(self, kind: Kind) -> None:
        """Check the kind.

        Raises:
            UsageError: Its name or one of its fields cannot be one.
        """
        if _NAME.fullmatch(kind.name) is None or kind.name.startswith(_RESERVED):
            msg = f"a kind is named like api_key, not {kind.name!r}"
            raise UsageError(msg)
        if kind.struct.__struct_config__.array_like:
            msg = f"the struct of kind {kind.name} is written as an array; it must be an object"
            raise UsageError(msg)
        fields = {field.name: field for field in msgspec.structs.fields(kind.struct)}
        self.found = tuple(dict.fromkeys((*kind.indexes, *kind.unique)))
        for name in (kind.key, *self.found, *([kind.expires] if kind.expires else [])):
            if name not in fields or _FIELD.fullmatch(name) is None:
                msg = f"kind {kind.name} names the field {name!r}, which its struct does not have"
                raise UsageError(msg)
        self.kind = kind
        self.unique = kind.unique
        self.indexed = tuple(name for name in self.found if name not in kind.unique)
        self.expires = kind.expires
        self.names = {name: field.encode_name for name, field in fields.items()}
        self.defaults = {
            name: field.default for name, field in fields.items() if field.default is not msgspec.NODEFAULT
        }
        self._key = attrgetter(kind.key)
        self._decode = msgspec.json.Decoder(kind.struct).decode

    def key(self, record: Record) -> str:
        """Give the record's key.

        Raises:
            UsageError: It is of another type, or its key cannot be stored.
        """
        key = self._key(record) if isinstance(record, self.kind.struct) else None
        if not isinstance(key, str) or not storable(key):
            msg = f"{type(record).__name__} has no key that {self.kind.name} could be stored under"
            raise UsageError(msg)
        return key

    def values(self, record: Record) -> tuple[str, ...]:
        """Give the values of the indexed and unique fields, in the order of `found`.

        Raises:
            UsageError: One is no text, or the expiry is no instant.
        """
        values = tuple([getattr(record, name) for name in self.found])
        if all(value == "" or storable(value) for value in values) and 0 <= self.deadline(record) <= _BIGGEST:
            return values
        msg = f"an indexed field or the expiry of {self.kind.name} cannot be stored"
        raise UsageError(msg)

    def deadline(self, record: Record) -> int:
        """Give the instant from which the record is as if absent; 0: never.

        Raises:
            UsageError: It is no whole number.
        """
        at = getattr(record, self.expires) if self.expires else 0
        if type(at) is not int:
            msg = f"{self.expires} of {self.kind.name} is no instant"
            raise UsageError(msg)
        return at

    def live(self, record: Record, now: int) -> bool:
        """Tell whether the record has not expired; an expiry equal to now has passed."""
        return not self.expires or not 0 < getattr(record, self.expires) <= now

    def encode(self, record: Record) -> bytes:
        """Write a record as JSON.

        Raises:
            UsageError: It holds something that JSON cannot carry.
        """
        try:
            body = _encode(record)
            self._decode(body)
        except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
            msg = f"a record of {self.kind.name} cannot be stored: {error}"
            raise UsageError(msg) from error
        return body

    def decode(self, body: bytes | str, key: str) -> Any:
        """Read the record that is stored under a key.

        Raises:
            UnreadableError: What is stored does not fit the struct.
        """
        try:
            return self._decode(body)
        except (msgspec.MsgspecError, ValueError) as error:
            raise UnreadableError(self.kind.name, key) from error

    def field(self, name: str) -> str:
        """Check that the struct has a field.

        Raises:
            UsageError: It has not.
        """
        if name not in self.names:
            msg = f"{self.kind.name} has no field {name!r}"
            raise UsageError(msg)
        return name

    def findable(self, index: str) -> None:
        """Check that records can be found by a field.

        Raises:
            UsageError: They cannot.
        """
        if index and index not in self.found:
            msg = f"{self.kind.name} has no index {index!r}"
            raise UsageError(msg)
