"""Policies drawn at random: every field, every notation, names that need quoting."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as kinds

from garrison.limits import Limit
from garrison.limits import text as limit_text
from garrison.model.units import duration_text, size_text
from garrison.policy.schema import Policy

__all__ = ["POLICIES", "drawn"]

_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_LIMITS = st.builds(
    lambda count, window, per, mode: limit_text(Limit(count=count, window=window, per=per, mode=mode)),
    st.integers(1, 1000),
    st.sampled_from([1_000_000, 60_000_000, 900_000_000]),
    st.sampled_from(["address", "principal", "key", "tenant", "global"]),
    st.sampled_from(["enforce", "observe"]),
)
_PATHS = st.sampled_from(["/", "/a", "/a/", "/a/{id}", "/b/{id:int}", "/c/{rest:path}", "/~x!$&'()+,=:@-._"])
_NOTATIONS: dict[str, st.SearchStrategy[str]] = {
    "characters": st.sampled_from(["[A-Za-z0-9_]", "[a-z]", '["#=é]']),
    "duration": st.integers(0, 10**15).map(duration_text),
    "exact": st.sampled_from(["at most 5 in 15m", "at most 1 in 1h per address"]),
    "field": st.sampled_from(["x-api-key", "x-k", "!#$"]),
    "host": st.sampled_from(["api.example.com", "localhost", "[::1]", "127.0.0.1"]),
    "https": st.sampled_from(["https://id.example.com/jwks", "https://[2606:4700::1]:8443"]),
    "life": st.integers(1, 10**9).map(lambda seconds: duration_text(seconds * 1_000_000)),
    "limit": _LIMITS,
    "media": st.sampled_from(["application/json", "application/vnd.a+json", "image/*", "*/*"]),
    "network": st.sampled_from(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]),
    "peer": st.sampled_from(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]),
    "prefix": st.sampled_from(["", "/auth", "/a/b.c"]),
    "reference": st.sampled_from(["file:/a b", "credential:root", "env:ROOT"]),
    "route": st.builds(" ".join, st.tuples(st.sampled_from(["GET", "PUT|POST", "WS"]), _PATHS)),
    "scope": st.sampled_from(["a:read", "a:*", "b"]),
    "size": st.integers(0, 10**12).map(size_text),
    "counters": st.sampled_from(["memory:", "records:", "redis://a@localhost:1", "rediss://b.example.com"]),
    "store": st.sampled_from(["memory:", "sqlite:/var/lib/x.db", "sqlite:a b"]),
}


def drawn(part: Any, notations: Mapping[str, st.SearchStrategy[str]], words: st.SearchStrategy[str]) -> Any:
    """Draw a value of one type; the types are those of `garrison.policy.schema`.

    Args:
        part: The type.
        notations: What is written in each notation.
        words: What is written where any text will do.
    """
    inner = partial(drawn, notations=notations, words=words)
    match part:
        case kinds.Metadata():
            name = (part.extra or {}).get("notation")
            return notations[name] if name else inner(part.type)
        case kinds.StructType():
            return _table(part, inner)
        case kinds.UnionType():
            return st.one_of([inner(member) for member in part.types if not isinstance(member, kinds.NoneType)])
        case kinds.DictType():
            return st.dictionaries(inner(part.key_type), inner(part.value_type), max_size=2)
        case kinds.VarTupleType():
            return st.lists(inner(part.item_type), min_size=part.min_length or 0, max_size=3)
        case kinds.TupleType():
            return st.tuples(*(inner(item) for item in part.item_types)).map(list)
        case kinds.LiteralType():
            return st.sampled_from(part.values)
        case kinds.IntType():
            return st.integers(part.ge or 0, part.le or 10**9)
        case kinds.BoolType():
            return st.booleans()
    return st.from_regex(part.pattern, fullmatch=True).filter(str.isascii) if part.pattern else _long(part, words)


def _table(part: kinds.StructType, inner: Any) -> st.SearchStrategy[dict[str, Any]]:
    fields = {field.name: inner(field.type) for field in part.fields if field.name != "environment"}
    required = {field.name: fields.pop(field.name) for field in part.fields if field.required}
    return st.fixed_dictionaries(required, optional=fields)


def _long(part: Any, words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return words.filter(lambda word: len(word) >= part.min_length) if part.min_length else words


POLICIES: st.SearchStrategy[Policy] = drawn(kinds.type_info(Policy), _NOTATIONS, _WORDS).map(
    lambda plain: msgspec.convert(plain, Policy)
)
"""Policies whose every notation is right; the linter may say much about them."""
