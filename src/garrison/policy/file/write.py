"""Write a policy as TOML: what `load` reads back is equal to what was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from garrison.model.fit import is_bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.model.fit import Path
    from garrison.policy.schema import Policy

__all__ = ["inline", "to_toml"]

_WIDTH = 110
"""A list longer than this is written one element a line."""


def to_toml(policy: Policy) -> str:
    """Write a policy. What equals its default is left out.

    The environment is not written: a file holds all environments, and says nowhere which one it is in.
    """
    plain = msgspec.to_builtins(policy)
    plain.pop("environment", None)
    return "\n".join(_table(plain, ())) + "\n"


def _table(table: dict[str, Any], path: Path) -> Iterator[str]:
    """Write a table: its own members first, then the tables in it, as TOML demands."""
    below = {name: value for name, value in table.items() if isinstance(value, dict) and _is_table((*path, name))}
    if path and (not below or len(below) < len(table)):
        yield ""
        yield f"[{'.'.join(_key(str(step)) for step in path)}]"
    for name, value in table.items():
        if name not in below:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in below.items():
        yield from _table(value, (*path, name))


def _is_table(path: Path) -> bool:
    """Routes are a line each, and so is what stands inside of one."""
    return path[-1] not in ("set", "credentials", "require") and (path[0] != "routes" or len(path) == 1)


def _value(value: Any) -> str:
    line = inline(value)
    if len(line) > _WIDTH and isinstance(value, (list, tuple)):
        return "[\n" + "".join(f"    {inline(element)},\n" for element in value) + "]"
    return line


def inline(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON and TOML escape alike, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(inline(element) for element in value)}]"
    if isinstance(value, dict):
        members = ", ".join(f"{_key(name)} = {inline(inner)}" for name, inner in value.items())
        return f"{{ {members} }}" if members else "{}"
    return str(value)


def _key(name: str) -> str:
    return name if is_bare(name) else inline(name)
