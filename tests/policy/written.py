"""What people write into a policy: right, nearly right and wrong, for every field there is."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

from hypothesis import strategies as st
from msgspec import inspect as kinds

from garrison.policy.schema import Policy
from tests.policy.policies import drawn

__all__ = ["SETTINGS", "Setting", "document"]

_UNITS = st.sampled_from(["us", "ms", "s", "m", "h", "d", "w", "B", "KiB", "MiB", "GiB", "", "S"])
_AMOUNTS = st.builds("{}{}".format, st.one_of(st.integers(0, 400), st.integers(0, 10**17)), _UNITS)
_ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["0.0.0.0", "::", "10.0.0.0", "::ffff:10.0.0.0", "64:ff9b::", "fe80::", "127.1", "010.0.0.0"]),
)
_LENGTHS = [
    "",
    "/0",
    "/8",
    "/08",
    "/32",
    "/33",
    "/64",
    "/96",
    "/104",
    "/128",
    "/255.0.0.0",
    "/0.0.0.255",
    "%eth0",
    "/ 8",
]
_LIMITS = st.builds(
    "{}/{}{}{}".format,
    st.integers(0, 10**10),
    st.sampled_from(["s", "m", "h", "d", "15m", "0s", "us"]),
    st.sampled_from(["", " burst 5", " burst 0"]),
    st.sampled_from(["", " per address", " per principal", " per key", " per tenant", " per global", " observe"]),
)
_EXACT = st.builds(
    "at most {} in {}{}".format,
    st.integers(0, 100),
    st.sampled_from(["1s", "15m", "1h", "366d", "0s"]),
    st.sampled_from(["", " per address", " per principal", " observe"]),
)
_SETS = ["[a-z]", "[z-a]", "[A-Za-z0-9_]", "[-]", "[a-]", "[a&&b]", "[a||b]", "[--a]", "[é]", "[ ]", "[@]"]
_HOSTS = [
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::FFFF:1.2.3.4]",
    "1.2.3",
    "0x7f.1",
    "xn--a",
    "localhost",
    "com",
    "1.2.3.4",
    "a.",
]
_URLS = [
    "https://id.example/jwks",
    "http://id.example",
    "http://localhost/jwks",
    "https://id.example:0/x",
    "https://id.example:443/x",
    "https://ID.example/x",
    "https://user@h/x",
    "https://[::1]/x",
    "//x",
    "https://id.example:x/",
]
_NETWORKS = st.builds("{}{}".format, _ADDRESSES, st.sampled_from(_LENGTHS))
_WRITTEN: dict[str, st.SearchStrategy[str]] = {
    "characters": st.one_of(st.sampled_from(_SETS), st.text("az-&|~[]^\\", max_size=6).map("[{}]".format)),
    "duration": _AMOUNTS,
    "exact": st.one_of(_EXACT, _LIMITS),
    "field": st.one_of(
        st.sampled_from(["authorization", "host", "cookie", "content-length", "origin", "x-forwarded-for"]),
        st.text("abz-_.~!#$%&'*+^`|09", max_size=12),
    ),
    "host": st.one_of(
        st.sampled_from(_HOSTS), st.text("abz019-_.", max_size=12), st.ip_addresses().map(lambda one: f"[{one}]")
    ),
    "https": st.sampled_from(_URLS),
    "life": _AMOUNTS,
    "limit": st.one_of(_LIMITS, _EXACT, st.sampled_from(["5 at once per key", "1000 per calendar month per key"])),
    "media": st.sampled_from(["image/png", "image/*", "*/*", "*", "a/b/c", "IMAGE/PNG", "application/json; a=b", ""]),
    "network": _NETWORKS,
    "peer": st.one_of(st.just("unix"), _NETWORKS),
    "prefix": st.sampled_from(["", "/", "/a", "/a/", "/a//b", "/.a", "/auth", "/me", "/keys", "/{a}", "/.well-known"]),
    "reference": st.sampled_from(["env:ROOT", "file:x", "credential:a"]),
    "route": st.sampled_from(["GET /a", "POST /auth/login", "GET /.well-known/jwks.json"]),
    "scope": st.text("a:*._-", min_size=1, max_size=8),
    "size": _AMOUNTS,
    "counters": st.sampled_from(
        ["memory:", "records:", "records", "redis://x", "unix:///x/s", "redis://a:b@localhost"]
    ),
    "store": st.sampled_from(
        ["memory:", "memory:x", "sqlite:x.db", "sqlite::memory:", "sqlite:", "sqlite:.", "redis://x"]
    ),
}
_WORDS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["*", "none", "api", "GET", "x-a", "at+jwt", "", "a b", "web", "https://a.example", "null"]),
)

_NAMED = {"routes": "GET /a", "cors": "web", "headers": "api", "issuers": "corp"}
"""Under which name the one member of a table of tables stands."""

_ISSUER = {"issuer": "https://id.example", "jwks": "https://id.example/jwks", "audience": "n", "scopes": ["a:read"]}
_REQUIRED: dict[str, dict[str, Any]] = {"corp": _ISSUER, "web": {"origins": ["https://a.example"]}}
_SOUND = {"hosts": ["a.example"], "routes": {"GET /a": {"scopes": ["a:read"], "cors": "web"}, "POST /p": {}}}


class Setting(NamedTuple):
    """One field with a value."""

    path: tuple[str, ...]
    value: Any


def _fields(struct: kinds.StructType, path: tuple[str, ...]) -> list[st.SearchStrategy[Setting]]:
    found: list[st.SearchStrategy[Setting]] = []
    for field in struct.fields:
        here = (*path, field.name)
        kind: Any = field.type
        if isinstance(kind, kinds.UnionType) and field.name == "accounts":
            kind = next(member for member in kind.types if isinstance(member, kinds.StructType))
        if isinstance(kind, kinds.DictType) and isinstance(kind.value_type, kinds.StructType):
            kind, here = kind.value_type, (*here, _NAMED[field.name])
        if isinstance(kind, kinds.StructType):
            found += _fields(kind, here)
        elif here != ("environment",):
            found.append(st.builds(Setting, st.just(here), drawn(kind, _WRITTEN, _WORDS)))
    return found


_POLICY = kinds.type_info(Policy)
assert isinstance(_POLICY, kinds.StructType)
SETTINGS: st.SearchStrategy[Setting] = st.one_of(_fields(_POLICY, ()))
"""Any field, with anything in it."""


def document(settings: list[Setting]) -> dict[str, Any]:
    """A small sound policy as a plain value, with some fields set."""
    whole: dict[str, Any] = {**deepcopy(_SOUND), "cors": {"web": deepcopy(_REQUIRED["web"])}}
    for path, value in settings:
        table = whole
        for name in path[:-1]:
            table = table.setdefault(name, deepcopy(_REQUIRED.get(name, {})))
        table[path[-1]] = value
    return whole
