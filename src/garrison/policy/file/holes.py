"""Places of a policy that could not be read, and whether what a rule says hangs on one of them.

A rule looks at a policy in which something else stands in such a place. It is watched: what it says after a look
into a hole may be the hole's doing and not the author's, so it is kept for the next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from garrison.model.fit import path_text

if TYPE_CHECKING:
    from garrison.model.fit import Path
    from garrison.policy.schema import Route
    from garrison.policy.table import Demand

__all__ = ["Holes", "Looks"]

Holes: TypeAlias = "frozenset[Path]"

_TABLES = (("routes",), ("cors",), ("headers",), ("jwt", "issuers"))
"""Tables whose entries are independent: what is wrong with one says nothing about another."""


class Looks:
    """Hands out the parts of a policy, and notes each look into a hole."""

    def __init__(self, holes: Holes, seen: set[Path] | None = None) -> None:
        """Keep the holes; `seen` is shared where several watch for one rule."""
        self.holes = holes
        self.seen: set[Path] = set() if seen is None else seen
        self.below: dict[Path, set[Path]] = {}
        for hole in holes:
            for end in range(len(hole) + 1):
                self.below.setdefault(hole[:end], set()).add(hole)

    def near(self, path: Path) -> Holes:
        """Name the holes in a place and around it; a table of bad routes must not cost each of them a look at all."""
        around = (path[:end] for end in range(len(path)))
        return frozenset(self.below.get(path, ())).union(hole for hole in around if hole in self.holes)

    def at(self, value: Any, path: Path) -> Any:
        """Give what stands at a path: as it is, or watched where a hole is near."""
        near = self.near(path)
        if not near:
            return value
        within = Looks(near, self.seen)
        if isinstance(value, Struct):
            return _Watched(value, path, within)
        if isinstance(value, dict):
            within.listed(path)
            return {name: within.at(inner, (*path, name)) for name, inner in value.items()}
        self.seen.update(near)
        return value

    def listed(self, path: Path) -> None:
        """Note the entries of a table that were left out: whoever lists it misses them."""
        whole = len(path) + 1
        self.seen.update(hole for hole in self.holes if len(hole) <= whole and hole[: len(path)] == path[: len(hole)])

    def row(self, row: Demand) -> Demand:
        """Watch a route, and what it takes from the defaults."""
        path = ("routes", row.name)
        defaults = self.below.get(("defaults",), ())
        taken = {(*path, *hole[1:]) for hole in defaults if _takes(row.stated, hole)}
        whole = Looks(self.near(path) | taken, self.seen).at(row.whole, path)
        return row._replace(stated=self.at(row.stated, path), whole=whole)

    def inside(self, text: str) -> bool:
        """Tell whether a path, written as text, leads into a hole."""
        names = (path_text(hole) for hole in self.holes)
        return any(text == name or text.startswith((f"{name}.", f"{name}[")) for name in names)

    def doubt(self, path: Path) -> bool:
        """Tell whether what the rule says of a place may be the doing of a hole."""
        inside = any(path[: len(hole)] == hole for hole in self.holes)
        return inside or any(not _apart(path, hole) for hole in self.seen)


class _Watched:
    """A part of a policy with a hole in or around it."""

    __slots__ = ("_looks", "_part", "_path")

    def __init__(self, part: Struct, path: Path, looks: Looks) -> None:
        self._part = part
        self._path = path
        self._looks = looks

    def __getattr__(self, name: str) -> Any:
        return self._looks.at(getattr(self._part, name), (*self._path, name))


def _takes(route: Route, hole: Path) -> bool:
    """Tell whether a route has what the defaults say there."""
    return len(hole) == 1 or getattr(route, str(hole[1])) is None


def _apart(one: Path, other: Path) -> bool:
    """Tell whether two places are in different entries of one table or list: two routes, two origins."""
    one, other = _as_entry(one), _as_entry(other)
    for at, (step, other_step) in enumerate(zip(one, other, strict=False)):
        if step != other_step:
            return one[:at] in _TABLES or (isinstance(step, int) and isinstance(other_step, int))
    return False


def _as_entry(path: Path) -> Path:
    """What the defaults say themselves stands beside the routes; what a route takes from them is the route's."""
    return ("routes", "", *path[1:]) if path[:1] == ("defaults",) else path
