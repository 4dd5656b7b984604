"""Attack: send what is no login at all, and look for a 500 or for two parsers that disagree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.accounts.api import Api
from tests.accounts.world import PASSWORD

PATHS = ["/auth/login", "/auth/register", "/auth/refresh"]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.chdir(tmp_path)
    return Api(registrations="at most 60 in 1s per address", logins="1000000/s per address")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), JSONS)
def test_any_json_is_a_422(api: Api, path: str, value: Any) -> None:
    api.clock.advance(60_000_000)

    assert api.send("POST", path, msgspec.json.encode(value)).status in (400, 422)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {"login": JSONS, "password": JSONS, "username": JSONS, "email": JSONS, "refresh_token": JSONS}
    ),
    st.sampled_from(
        [
            ("/auth/login", ("login", "password")),
            ("/auth/register", ("username", "email", "password")),
            ("/auth/refresh", ("refresh_token",)),
        ]
    ),
)
def test_the_right_names_with_any_values(api: Api, values: dict[str, Any], row: tuple[str, tuple[str, ...]]) -> None:
    api.clock.advance(3_600_000_000)
    path, names = row

    reply = api.send("POST", path, {name: values[name] for name in names})

    assert 400 <= reply.status < 500
    assert reply.json["code"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), st.binary(max_size=60))
def test_any_bytes_are_a_400(api: Api, path: str, body: bytes) -> None:
    api.clock.advance(60_000_000)

    assert api.send("POST", path, body or b" ").status in (400, 422)


@pytest.mark.parametrize(
    "body",
    [
        b'{"login": "ada", "login": "root", "password": "%s"}' % PASSWORD.encode(),
        b'{"login": "ada", "password": "x", "password": "%s"}' % PASSWORD.encode(),
        b'{"login": "ada", "\\u0070assword": "x", "password": "%s"}' % PASSWORD.encode(),
        b'\xef\xbb\xbf{"login": "ada", "password": "%s"}' % PASSWORD.encode(),
        b'{"login": "ada", "password": "%s"} {}' % PASSWORD.encode(),
        b'{"login": "ada", "password": NaN}',
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_refused(api: Api, body: bytes) -> None:
    """A gateway that takes the first of two names and a service that takes the last would log in somebody else."""
    api.register("ada")

    assert (api.send("POST", "/auth/login", body).status, api.login("ada").status) == (400, 200)


def test_credentials_in_the_query_are_not_looked_at(api: Api) -> None:
    """They would stand in every log on the way."""
    api.register("ada")

    query = f"login=ada&password={PASSWORD.replace(' ', '%20')}"

    assert api.send("POST", f"/auth/login?{query}", {}).status == 422
    assert api.send("POST", f"/auth/login?{query}").status == 415
