"""Find the route of a request: an exact dictionary first, then a tree of path segments.

No regular expression runs per request, and a thousand routes cost what ten do. A path that two programs
could read in two ways (`%2f`, `..`, `//`, `;`) is refused before anything is looked up: guard and
application must never disagree about which route a request is for.

Templates: literal segments, `{name}`, and as the last segment `{name:path}`. `{id:int}`, `{id:float}` and
`{id:uuid}` match what Starlette's converters of those names match.
"""

from __future__ import annotations

import re
from typing import Generic, NamedTuple, TypeVar

from garrison.errors import UsageError

__all__ = [
    "METHODS",
    "WEBSOCKET",
    "RouteName",
    "Segment",
    "Tree",
    "is_plain",
    "meets",
    "parse_route",
    "parse_template",
    "within",
]

T = TypeVar("T")

WEBSOCKET = "WS"
"""The method under which WebSocket handshakes are looked up."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", WEBSOCKET)
"""Methods that a policy may name. CONNECT and TRACE have no place in an API."""

_KINDS = ("", "int", "float", "uuid", "str", "path")
_LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()+,=:@-]+")
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([a-z]+))?\}")
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_MOST_SEGMENTS = 64


class Segment(NamedTuple):
    """One segment of a template."""

    kind: str
    """Empty for a literal, else the converter: `int`, `float`, `uuid`, `str`, `path`."""

    text: str
    """The literal, or the name of the parameter."""


class RouteName(NamedTuple):
    """A route's key in the policy, read: `GET|POST /notes/{id}`."""

    methods: tuple[str, ...]
    template: str
    segments: tuple[Segment, ...]


def parse_route(text: str) -> RouteName:
    """Read a route's key: methods joined by `|`, one space, a template.

    Raises:
        UsageError: It is none; the text says what would be.
    """
    verbs, space, template = text.partition(" ")
    methods = tuple(verbs.split("|"))
    if not space or len(set(methods)) != len(methods):
        msg = f"{text[:60]!r} is not a route such as 'GET /notes/{{id}}' or 'GET|POST /notes'"
        raise UsageError(msg)
    for method in methods:
        if method not in METHODS:
            msg = f"{method[:20]!r} is not a method; a policy knows {', '.join(METHODS)}"
            raise UsageError(msg)
    return RouteName(methods, template, parse_template(template))


def parse_template(template: str) -> tuple[Segment, ...]:
    """Read a path template into its segments.

    Raises:
        UsageError: A segment is neither a literal nor one whole parameter, or the path is ambiguous.
    """
    if not template.startswith("/"):
        msg = f"{template[:60]!r} must begin with a slash"
        raise UsageError(msg)
    parts = template[1:].split("/")
    if len(parts) > _MOST_SEGMENTS:
        msg = f"{template[:60]!r} has more than {_MOST_SEGMENTS} segments"
        raise UsageError(msg)
    last = len(parts) - 1
    segments = tuple(_segment(part, template, last=at == last) for at, part in enumerate(parts))
    names = [segment.text for segment in segments if segment.kind]
    if len(set(names)) != len(names):
        msg = f"{template[:60]!r} names a parameter twice"
        raise UsageError(msg)
    return segments


def _segment(part: str, template: str, *, last: bool) -> Segment:
    found = _PARAMETER.fullmatch(part)
    if found is not None:
        kind = found[2] or "str"
        if kind not in _KINDS[1:]:
            msg = f"{part!r} has an unknown converter; known are {', '.join(_KINDS[1:])}"
            raise UsageError(msg)
        if kind == "path" and not last:
            msg = f"{part!r} must be the last segment of {template[:60]!r}"
            raise UsageError(msg)
        return Segment(kind, found[1])
    if part.startswith(":") or "*" in part:
        # Other frameworks' notations, and here a literal that would match nothing anybody asks for.
        msg = f"{part[:40]!r} in {template[:60]!r} stands for nothing here; write {{name}}, or {{name:path}} at the end"
        raise UsageError(msg)
    # An empty last segment is a trailing slash; anywhere else it is `//`.
    if (part or last) and part not in (".", "..") and (not part or _LITERAL.fullmatch(part)):
        return Segment("", part)
    msg = f"{part[:40]!r} in {template[:60]!r} is neither a plain literal nor one whole parameter such as {{id}}"
    raise UsageError(msg)


def _catches(kind: str, text: str) -> bool:
    """Tell whether a converter takes a segment; the same texts as Starlette's regular expressions."""
    if kind == "str":
        return bool(text)
    if kind == "int":
        return bool(text) and _DIGITS.issuperset(text)
    if kind == "float":
        whole, dot, rest = text.partition(".")
        return _catches("int", whole) and (not dot or _catches("int", rest))
    if kind == "uuid":
        return _is_uuid(text)
    return True


def _is_uuid(text: str) -> bool:
    """Eight, four, four, four, twelve hexadecimal digits; each dash may be missing."""
    rest = text
    for width in (8, 4, 4, 4):
        if not _HEX.issuperset(rest[:width]) or len(rest) < width:
            return False
        rest = rest[width:].removeprefix("-")
    return len(rest) == 12 and _HEX.issuperset(rest)


_WIDER = {
    "": (),
    "int": ("int", "float", "str", "path"),
    "float": ("float", "str", "path"),
    "uuid": ("uuid", "str", "path"),
    "str": ("str", "path"),
    "path": ("path",),
}
"""Converter -> the converters that take everything it takes."""


def meets(one: Segment, other: Segment) -> bool:
    """Tell whether some text fits both segments."""
    if not one.kind and not other.kind:
        return one.text == other.text
    if not one.kind:
        return _catches(other.kind, one.text)
    if not other.kind:
        return _catches(one.kind, other.text)
    # Digits only, 32 of them: both a number and a UUID without dashes. Every pair of converters shares some text.
    return True


def _inside(one: Segment, other: Segment) -> bool:
    """Tell whether every text that fits the one fits the other."""
    if one.kind:
        return other.kind in _WIDER[one.kind]
    return meets(one, other)


def within(one: tuple[Segment, ...], other: tuple[Segment, ...]) -> bool:
    """Tell whether every path of the one template fits the other."""
    longer = len(one) - len(other)
    tail = other[-1].kind == "path"
    if longer < 0 or (longer and not tail) or (one[-1].kind == "path" and not tail):
        return False
    # The other's `{name:path}` takes all segments that it has none for.
    return all(map(_inside, one, (*other, *(other[-1:] * longer))))


class _End(NamedTuple, Generic[T]):
    """Where a template ends: what stands there, and which segments its parameters catch."""

    value: T
    caught: tuple[tuple[int, str], ...]
    rest: tuple[int, str] | None
    """Where a `{name:path}` begins, and its name."""


class _Node(Generic[T]):
    """What may follow one beginning of a path."""

    __slots__ = ("end", "forks", "literals", "parameters", "tail")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameters: tuple[tuple[str, _Node[T]], ...] = ()
        self.end: _End[T] | None = None
        self.tail: _End[T] | None = None
        self.forks = False
        """Whether a path that goes wrong below a literal may go right elsewhere."""


class Tree(Generic[T]):
    """All routes of one method. `find` prefers the more specific segment: literal, int, float, uuid, str, path."""

    __slots__ = ("_exact", "_root")

    def __init__(self) -> None:
        """Begin without routes."""
        self._exact: dict[str, tuple[T, bytes]] = {}
        self._root: _Node[T] = _Node()

    def add(self, segments: tuple[Segment, ...], value: T) -> None:
        """Put a value at a template; a template without parameters goes to the dictionary."""
        if not any(segment.kind for segment in segments):
            path = "/" + "/".join(segment.text for segment in segments)
            self._exact[path] = value, path.encode("ascii")
            return
        caught = tuple((at, name) for at, (kind, name) in enumerate(segments) if kind not in ("", "path"))
        node = self._root
        for at, segment in enumerate(segments):
            if segment.kind == "path":
                node.tail, node.forks = _End(value, caught, (at, segment.text)), True
                return
            node = _step(node, segment)
        node.end = _End(value, caught, None)

    def literal(self, path: str, raw_path: bytes) -> T | None:
        """Find what stands at a path without parameters, sent as plainly as it is written in the policy.

        Such a path has one reading, because a template has: nothing more needs to be asked of it.
        """
        exact = self._exact.get(path)
        return exact[0] if exact is not None and (not raw_path or raw_path == exact[1]) else None

    def find(self, path: str) -> tuple[T, dict[str, str]] | None:
        """Find what stands at a decoded, unambiguous path, and what its parameters caught."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact[0], {}
        parts = path[1:].split("/")
        found = _descend(self._root, parts, 0)
        if found is None:
            return None
        value, caught, rest = found
        parameters = {name: parts[at] for at, name in caught}
        if rest is not None:
            parameters[rest[1]] = "/".join(parts[rest[0] :])
        return value, parameters


def _step(node: _Node[T], segment: Segment) -> _Node[T]:
    if not segment.kind:
        return node.literals.setdefault(segment.text, _Node())
    node.forks = True
    for kind, child in node.parameters:
        if kind == segment.kind:
            return child
    child = _Node()
    # `_KINDS` stands in order of specificity.
    node.parameters = tuple(sorted((*node.parameters, (segment.kind, child)), key=lambda item: _KINDS.index(item[0])))
    return child


def _descend(node: _Node[T], parts: list[str], at: int) -> _End[T] | None:
    """Walk down, the most specific way first. Each node is entered at most once: nodes bound the work, not paths."""
    length = len(parts)
    while at < length:
        part = parts[at]
        child = node.literals.get(part)
        if not node.forks:
            if child is None:
                return None
            node, at = child, at + 1
            continue
        if child is not None and (found := _descend(child, parts, at + 1)) is not None:
            return found
        for kind, child in node.parameters:
            if _catches(kind, part) and (found := _descend(child, parts, at + 1)) is not None:
                return found
        return node.tail
    return node.end


_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/"


def is_plain(path: str, raw_path: bytes) -> bool:
    """Tell whether a path can be read in one way only.

    Refused: no leading slash, an empty segment, `.` and `..` segments, `;` parameters, backslash, control
    characters, invalid UTF-8, an encoded slash or backslash, double encoding, and a raw path that decodes to
    anything else than the path (RFC 3986 sections 3.3 and 6.2.2).

    Args:
        path: As the server decoded it.
        raw_path: As sent; empty when the server does not tell, then only the decoded path is judged.
    """
    raw = raw_path or path.encode("utf-8", "replace")
    # The common path has nothing but unreserved letters: one translate, three searches.
    if not raw.translate(None, _SAFE) and b"//" not in raw and b"/." not in raw and raw.startswith(b"/"):
        return not raw_path or raw_path.decode("ascii") == path
    return _is_plain_slowly(path, raw_path)


def _is_plain_slowly(path: str, raw_path: bytes) -> bool:
    if not path.startswith("/") or "//" in path or not _decodes_once(path):
        return False
    if any(segment in (".", "..") for segment in path.split("/")):
        return False
    return not raw_path or _agrees(raw_path, path)


def _decodes_once(path: str) -> bool:
    """No `;`, no backslash, no control character, nothing undecodable, no `%41` left to decode again."""
    for at, letter in enumerate(path):
        if letter in ";\\" or letter < " " or "\x7f" <= letter < "\xa0" or "\ud800" <= letter <= "\udfff":
            return False
        if letter == "\ufffd" or (letter == "%" and len(path) > at + 2 and _HEX.issuperset(path[at + 1 : at + 3])):
            return False
    return True


def _agrees(raw_path: bytes, path: str) -> bool:
    """Decode the raw path once, strictly, and compare; an encoded slash or backslash never agrees."""
    pieces = raw_path.split(b"%")
    decoded = bytearray(pieces[0])
    for piece in pieces[1:]:
        code = piece[:2].decode("latin-1")
        if len(code) < 2 or not _HEX.issuperset(code) or code.lower() in ("2f", "5c"):
            return False
        decoded.append(int(code, 16))
        decoded += piece[2:]
    try:
        return decoded.decode("utf-8") == path
    except UnicodeDecodeError:
        return False
