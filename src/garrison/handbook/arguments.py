"""Every argument is what its annotation says, or the call is refused: here, for all the chapter's classes.

What an API is sent is handed on as it came, and a text read as a list of texts grants one right for each letter.
Where callers send an argument, one that is something else gets the answer of a wrong one; where a programmer
writes it, a `UsageError` that names it.
"""

from __future__ import annotations

import builtins
import re
from collections import abc
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from functools import cache, wraps
from inspect import iscoroutinefunction, signature
from itertools import repeat
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from garrison.errors import UsageError

__all__ = ["checked", "fits", "otherwise"]

P = ParamSpec("P")
R = TypeVar("R")

_HALF = re.compile("[\ud800-\udfff]")
_NUMBERS: dict[Any, tuple[type, ...]] = {int: (int,), float: (int, float)}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse a call whose arguments are not what they must be with a `UsageError`."""

    def refuse(misfit: str) -> Any:
        raise UsageError(misfit)

    return _watched(function, refuse)


def otherwise(answer: object) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give an answer of its own to a call whose arguments are not what they must be; each caller gets a new copy."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        return _watched(function, lambda _: deepcopy(answer))

    return decorate


def fits(value: object, wanted: Any) -> bool:
    """Tell whether a value is what an annotation says.

    A bool is no number, a text no list of texts, and half a character (a lone surrogate) no text; what can be read
    only once is not looked into.
    """
    origin, parts = get_origin(wanted), get_args(wanted)
    if wanted is Any or isinstance(wanted, TypeVar):
        return True
    if origin in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is tuple:
        many = parts[1:] == (...,)
        wide = isinstance(value, tuple) and (many or len(value) == len(parts))
        return wide and all(map(fits, cast("tuple[Any, ...]", value), repeat(parts[0]) if many else parts))
    if wanted in _NUMBERS:
        return isinstance(value, _NUMBERS[wanted]) and not isinstance(value, bool)
    if wanted is str:
        return isinstance(value, str) and _HALF.search(value) is None
    return isinstance(value, origin or wanted or NoneType) and _inside(value, origin, parts)


def _inside(value: object, origin: Any, parts: tuple[Any, ...]) -> bool:
    if origin in (abc.Mapping, dict):
        assert isinstance(value, Mapping)  # noqa: S101  # mypy does not follow `origin`
        return all(fits(name, parts[0]) and fits(inner, parts[1]) for name, inner in value.items())
    if origin in (list, abc.Sequence, abc.Iterable):
        listed = not isinstance(value, (str, bytes, bytearray, Mapping))
        return listed and (not isinstance(value, Collection) or all(fits(inner, parts[0]) for inner in value))
    return True


def _watched(function: Callable[P, R], odd: Callable[[str], Any]) -> Callable[P, R]:
    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*arguments: P.args, **named: P.kwargs) -> Any:
            misfit = _misfit(function, arguments, named)
            return odd(misfit) if misfit else await function(*arguments, **named)

        return cast("Callable[P, R]", awaited)

    @wraps(function)
    def at_once(*arguments: P.args, **named: P.kwargs) -> R:
        misfit = _misfit(function, arguments, named)
        return cast("R", odd(misfit)) if misfit else function(*arguments, **named)

    return at_once


def _misfit(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    """Name the first argument that is not what it must be; empty: there is none.

    Raises:
        TypeError: Python's own: there are too many, or too few.
    """
    hints = _hints(function)
    for name, value in signature(function).bind(*arguments, **named).arguments.items():
        if name in hints and not fits(value, hints[name]):
            wanted = function.__annotations__[name]
            return f"{function.__qualname__}: {name} must be {wanted}, which this {type(value).__name__} is not"
    return ""


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    written = {name: text for name, text in function.__annotations__.items() if name != "return"}
    return get_type_hints(SimpleNamespace(__annotations__=written), localns=_Names(function))


class _Names(dict[str, Any]):
    """What the names in annotations mean; one that is imported for type checkers alone means anything."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__({name: getattr(abc, name) for name in ("Callable", "Iterable", "Mapping", "Sequence")})
        self.update(function.__globals__)

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)
