"""A URL of a database that looks like loopback and connects elsewhere would send every key's MAC in the clear."""

from __future__ import annotations

import inspect

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args  # type: ignore[import-untyped]  # brings no types
from psycopg.conninfo import conninfo_to_dict

from garrison.errors import UsageError
from garrison.stores.url import read

ELSEWHERE = [
    "postgresql://127.0.0.1/x?host=evil.example",
    "postgresql://127.0.0.1/x?host=/run/postgresql",
    "postgresql://127.0.0.1/x?hostaddr=203.0.113.1",
    "postgresql:///x?host=evil.example",
    "postgresql:///x?host=203.0.113.1&sslmode=verify-full",
    "postgresql:///x?host=/run/postgresql,evil.example",
    "postgresql:///x?host=/run/postgresql%2Cevil.example",
    "postgresql:///x?host=/run&host=evil.example",
    "postgresql:///x?HOST=evil.example",
    "postgresql:///x?%68ost=evil.example",
    "postgresql:///x?host=%65vil.example",
    "postgresql:///x?host=@abstract",
    "postgresql:///x?service=evil",
    "postgresql:///x?servicefile=/tmp/x",
    "postgresql://127.0.0.1,evil.example/x",
    "postgresql://evil.example%2C127.0.0.1/x",
    "postgresql://127.0.0.1%40evil.example/x",
    "postgresql://a@127.0.0.1@evil.example/x",
    "postgresql://127.0.0.1:5432,evil.example:5432/x",
    "postgresql:///x?target_session_attrs=read-write",
]
WEAKER = [
    "postgresql://db.example.com/x?sslmode=verify-full&sslmode=disable",
    "postgresql://db.example.com/x?sslmode=disable&sslmode=verify-full",
    "postgresql://db.example.com/x?sslmode=verify-ca",
    "postgresql://db.example.com/x?sslmode=verify-full;sslmode=disable",
    "postgresql://db.example.com/x?sslmode=verify-full&gssencmode=require",
    "postgresql://db.example.com/x?sslmode=verify-full&ssl_max_protocol_version=TLSv1",
    "postgresql://db.example.com/x?sslmode=verify-full&sslcompression=1",
    "postgresql://db.example.com/x?sslmode=Verify-Full",
    "postgresql://db.example.com/x?SSLMODE=verify-full",
    "postgresql://db.example.com/x?ssl=true",
    "postgresql://db.example.com/x?sslmode=verify-full&",
    "postgresql://db.example.com/x?sslmode",
    "postgresql://db.example.com/x",
]
LEAKING = [
    "postgresql://127.0.0.1/x?password=hush-hush",
    "postgresql://127.0.0.1/x?passfile=/hush-hush",
    "postgresql://127.0.0.1/x?sslpassword=hush-hush",
    "postgresql://a:hush-hush@127.0.0.1/x",
    "postgresql://127.0.0.1/x?options=-c%20hush-hush",
]


@pytest.mark.parametrize("url", [*ELSEWHERE, *WEAKER, *LEAKING])
def test_a_url_that_connects_elsewhere_or_in_the_clear_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(url)

    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://garrison@127.0.0.1:5433/x", "127.0.0.1"),
        ("postgresql://[::1]/x?sslmode=disable", "::1"),
        ("postgresql:///x?host=/run/postgresql&user=garrison&port=5433", "/run/postgresql"),
        ("postgresql:///x?host=%2Frun%2Fpostgresql", "/run/postgresql"),
        ("postgresql://db.example.com/x?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem", "db.example.com"),
        ("postgresql://db.example.com/x?application_name=notes&sslmode=verify-full", "db.example.com"),
    ],
)
def test_whatever_is_taken_both_clients_read_as_we_do(url: str, host: str) -> None:
    """One that read another host than was judged would be the attack."""
    assert read(url) == ("postgresql", url.partition(":")[2])
    assert conninfo_to_dict(url)["host"] == host
    if "verify-full" not in url:  # for that it looks for the file of the authorities
        assert {str(place).partition("/.s.")[0] for place in _places(url)} == {host}


def _places(url: str) -> list[object]:
    """Ask asyncpg where it would connect, the way its `connect` does."""
    names = inspect.signature(_parse_connect_dsn_and_args).parameters
    addresses, _ = _parse_connect_dsn_and_args(**{**dict.fromkeys(names), "dsn": url, "user": "garrison"})
    return [place[0] if isinstance(place, tuple) else place for place in addresses]
