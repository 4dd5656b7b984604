"""Fit a plain value (from JSON or TOML) to a msgspec type, and find every place where it does not.

msgspec stops at its first complaint; people mend faster when they see all of them. A value that fits costs
one `msgspec.convert`; only one that does not is walked.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import inspect as kinds

from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["MOST_MISFITS", "Fitted", "Misfit", "Notations", "Path", "fit", "is_bare", "path_text"]

T = TypeVar("T")

Path: TypeAlias = tuple[str | int, ...]
"""Way to a place: member names and element numbers."""

Notations: TypeAlias = "Mapping[str, Callable[[str], object]]"
"""Readers of text fields marked `Meta(extra={"notation": name})`; a reader raises `UsageError` with what is wrong."""

MOST_MISFITS = 100
"""Misfits collected before the walk ends, so that a hostile body cannot buy an endless answer."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Misfit(NamedTuple):
    """One place where a value is not what it must be. The text never repeats the value: it may be a password."""

    path: Path
    code: str
    """`missing`, `unknown`, `type`, `format`, `length`, `range`, `choice` or `rule`."""

    text: str
    """What is wrong: `must be text, and is a number`."""

    offers: tuple[str, ...] = ()
    """The names or values that would do, where they can be listed."""

    notation: str = ""
    """The notation whose reader refused it."""

    @property
    def row(self) -> dict[str, str]:
        """How an answer tells of it."""
        return {"path": path_text(self.path), "code": self.code, "text": self.text}


class Fitted(NamedTuple, Generic[T]):
    """A value of the type, or every reason why there is none."""

    value: T | None
    misfits: tuple[Misfit, ...]


class _Full(Exception):  # noqa: N818  # not an error: the walk has collected enough
    """As many misfits are found as were asked for."""


def fit(value: object, wanted: type[T], notations: Notations | None = None, most: int = MOST_MISFITS) -> Fitted[T]:
    """Turn a plain value into the wanted type.

    Args:
        value: Dictionaries, lists, text, numbers, booleans, None.
        wanted: A msgspec struct, or any type that msgspec converts to.
        notations: Readers of marked text fields; without any, those fields are any text.
        most: Misfits collected before the walk ends.

    Returns:
        The value, or all misfits (at most `most`).
    """
    whole, complaint = None, ""
    try:
        whole = msgspec.convert(value, wanted)
    except msgspec.ValidationError as failure:
        complaint = str(failure)
    else:
        if not notations:
            return Fitted(whole, ())
    walk = _Walk(notations or {}, most)
    try:
        walk.visit(value, _type_of(wanted), ())
    except _Full:
        walk.misfits = walk.misfits[:most]
    if complaint and not walk.misfits:
        # A rule that only msgspec knows, such as a struct's own check: it decides, we only pass it on.
        walk.misfits.append(_from_msgspec(complaint))
    return Fitted(None if walk.misfits else whole, tuple(walk.misfits))


def path_text(path: Path) -> str:
    """Write a path: `cors.web.origins[2]`, `routes."GET /notes/{id}".limit`; empty for the whole."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if is_bare(step) else _quoted(step))
    return text


def is_bare(name: str) -> bool:
    """Tell whether a member name needs no quotation marks (TOML 1.0, bare keys)."""
    return _BARE.fullmatch(name) is not None


def _quoted(step: str) -> str:
    return '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'


_TYPES: dict[object, kinds.Type] = {}


def _type_of(wanted: object) -> kinds.Type:
    known = _TYPES.get(wanted)
    if known is None:
        known = _TYPES[wanted] = kinds.type_info(wanted)
    return known


class _Walk:
    """One walk over a value, side by side with the type it should have."""

    def __init__(self, notations: Notations, most: int) -> None:
        self.notations = notations
        self.most = most
        self.misfits: list[Misfit] = []

    def miss(self, path: Path, code: str, text: str, offers: tuple[str, ...] = (), notation: str = "") -> None:
        self.misfits.append(Misfit(path, code, text, offers, notation))
        if len(self.misfits) >= self.most:
            raise _Full

    def visit(self, value: object, wanted: kinds.Type, path: Path) -> None:
        """Compare a value with its type; unknown types are left to msgspec."""
        visit = _VISITS.get(type(wanted))
        if visit is not None:
            visit(self, value, wanted, path)

    def metadata(self, value: object, wanted: kinds.Metadata, path: Path) -> None:
        before = len(self.misfits)
        self.visit(value, wanted.type, path)
        notation = (wanted.extra or {}).get("notation", "")
        read = self.notations.get(notation)
        if read is None or not isinstance(value, str) or len(self.misfits) > before:
            return
        try:
            read(value)
        except UsageError as failure:
            self.miss(path, "format", str(failure), notation=notation)

    def struct(self, value: object, wanted: kinds.StructType, path: Path) -> None:
        if not isinstance(value, dict):
            self.type(value, "a table of members", path)
            return
        fields = {field.encode_name: field for field in wanted.fields}
        for name, field in fields.items():
            if name in value:
                self.visit(value[name], field.type, (*path, name))
            elif field.required:
                self.miss((*path, name), "missing", "is missing")
        if wanted.forbid_unknown_fields:
            for name in value:
                if name not in fields:
                    self.miss((*path, str(name)), "unknown", "is not known here", tuple(fields))

    def dictionary(self, value: object, wanted: kinds.DictType, path: Path) -> None:
        if not isinstance(value, dict):
            self.type(value, "a table of members", path)
            return
        for name, inner in value.items():
            self.visit(name, wanted.key_type, (*path, str(name)))
            self.visit(inner, wanted.value_type, (*path, str(name)))

    def sequence(self, value: object, wanted: Any, path: Path) -> None:
        if not isinstance(value, (list, tuple)):
            self.type(value, "a list", path)
            return
        self.length(value, wanted, path, "elements")
        for at, inner in enumerate(value):
            self.visit(inner, wanted.item_type, (*path, at))

    def fixed(self, value: object, wanted: kinds.TupleType, path: Path) -> None:
        count = len(wanted.item_types)
        if not isinstance(value, (list, tuple)):
            self.type(value, f"a list of {count}", path)
        elif len(value) != count:
            self.miss(path, "length", f"must have {count} elements, and has {len(value)}")
        else:
            for at, (inner, item) in enumerate(zip(value, wanted.item_types, strict=True)):
                self.visit(inner, item, (*path, at))

    def text(self, value: object, wanted: kinds.StrType, path: Path) -> None:
        if not isinstance(value, str):
            self.type(value, "text", path)
            return
        self.length(value, wanted, path, "characters")
        if wanted.pattern is not None and re.search(wanted.pattern, value) is None:
            self.miss(path, "format", f"must look like {wanted.pattern}")

    def number(self, value: object, wanted: Any, path: Path) -> None:
        whole = isinstance(wanted, kinds.IntType)
        right = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, right):
            self.type(value, "a whole number" if whole else "a number", path)
            return
        assert isinstance(value, (int, float))  # noqa: S101  # mypy does not follow `right`
        for bound, held, words in _bounds(wanted, value):
            if not held:
                self.miss(path, "range", f"must be {words} {bound}")

    def boolean(self, value: object, _: kinds.BoolType, path: Path) -> None:
        if not isinstance(value, bool):
            self.type(value, "true or false", path)

    def nothing(self, value: object, _: kinds.NoneType, path: Path) -> None:
        if value is not None:
            self.type(value, "null", path)

    def choice(self, value: object, wanted: kinds.LiteralType, path: Path) -> None:
        if value not in wanted.values or isinstance(value, bool) != isinstance(wanted.values[0], bool):
            offers = tuple(str(offer) for offer in wanted.values)
            self.miss(path, "choice", "must be one of " + ", ".join(offers), offers)

    def union(self, value: object, wanted: kinds.UnionType, path: Path) -> None:
        """Try each member; report the complaints of the one that came closest: of the value's own shape."""
        best: list[Misfit] | None = None
        for member in wanted.types:
            trial = _Walk(self.notations, self.most)
            with suppress(_Full):
                trial.visit(value, member, path)
            if not trial.misfits:
                return
            if any(missed.path != path or missed.code != "type" for missed in trial.misfits):
                best = trial.misfits
        if best is None:
            self.type(value, " or ".join(_words(member) for member in wanted.types if _words(member)), path)
            return
        for missed in best:
            self.miss(*missed)

    def length(self, value: Any, wanted: Any, path: Path, unit: str) -> None:
        count = len(value)
        if wanted.min_length is not None and count < wanted.min_length:
            self.miss(path, "length", f"must have at least {wanted.min_length} {unit}")
        if wanted.max_length is not None and count > wanted.max_length:
            self.miss(path, "length", f"must have at most {wanted.max_length} {unit}")

    def type(self, value: object, wanted: str, path: Path) -> None:
        self.miss(path, "type", f"must be {wanted}, and is {_kind_of(value)}")


_VISITS: dict[type, Callable[[_Walk, Any, Any, Path], None]] = {
    kinds.Metadata: _Walk.metadata,
    kinds.StructType: _Walk.struct,
    kinds.DictType: _Walk.dictionary,
    kinds.ListType: _Walk.sequence,
    kinds.VarTupleType: _Walk.sequence,
    kinds.SetType: _Walk.sequence,
    kinds.FrozenSetType: _Walk.sequence,
    kinds.TupleType: _Walk.fixed,
    kinds.StrType: _Walk.text,
    kinds.IntType: _Walk.number,
    kinds.FloatType: _Walk.number,
    kinds.BoolType: _Walk.boolean,
    kinds.NoneType: _Walk.nothing,
    kinds.LiteralType: _Walk.choice,
    kinds.UnionType: _Walk.union,
}

_WORDS: dict[type, str] = {
    kinds.StructType: "a table of members",
    kinds.DictType: "a table of members",
    kinds.ListType: "a list",
    kinds.VarTupleType: "a list",
    kinds.SetType: "a list",
    kinds.FrozenSetType: "a list",
    kinds.TupleType: "a list",
    kinds.StrType: "text",
    kinds.IntType: "a whole number",
    kinds.FloatType: "a number",
    kinds.BoolType: "true or false",
    kinds.LiteralType: "one of the known words",
}


def _words(wanted: kinds.Type) -> str:
    inner = wanted.type if isinstance(wanted, kinds.Metadata) else wanted
    return _WORDS.get(type(inner), "")


def _kind_of(value: object) -> str:
    """Name the kind of a value the way JSON and TOML do, never the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "a table of members"
    return "a list" if isinstance(value, (list, tuple)) else "a date"


def _bounds(wanted: Any, value: float) -> Iterator[tuple[float, bool, str]]:
    if wanted.ge is not None:
        yield wanted.ge, value >= wanted.ge, "at least"
    if wanted.gt is not None:
        yield wanted.gt, value > wanted.gt, "more than"
    if wanted.le is not None:
        yield wanted.le, value <= wanted.le, "at most"
    if wanted.lt is not None:
        yield wanted.lt, value < wanted.lt, "less than"
    if wanted.multiple_of is not None:
        yield wanted.multiple_of, value % wanted.multiple_of == 0, "a multiple of"


def _from_msgspec(complaint: str) -> Misfit:
    """Read the place out of `text - at `$.a[2].b``; members of dictionaries stay unnamed there."""
    text, _, place = complaint.partition(" - at `$")
    steps: list[str | int] = []
    for name, number in re.findall(r"\.([^.\[`]+)|\[(\d+)\]", place.replace("[...]", "")):
        steps.append(int(number) if number else name)
    return Misfit(tuple(steps), "rule", text[:1].lower() + text[1:])
