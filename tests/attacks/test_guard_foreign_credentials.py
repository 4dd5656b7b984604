"""Credentials that are good somewhere else: another audience, issuer, brand or environment, another use, another time.

All of them are made with the service's own keys, so that nothing but what they say can be the reason.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from garrison.credentials.key_format import KeyFormat
from garrison.runtime.runtime import Runtime
from garrison.tokens import Issuer
from garrison.tokens.keys import ring_keys
from tests.journeys.places import Answer
from tests.journeys.test_tasks import HOST, PASSWORD, Client, ada, anyone

__all__ = ["ada", "anyone"]

MINUTE = 60_000_000
ELSEWHERE: list[dict[str, Any]] = [
    {"audience": "billing"},
    {"audience": ["billing", "orders"]},
    {"audience": "task"},
    {"audience": "tasks "},
    {"audience": "Tasks"},
    {"audience": "https://tasks"},
    {"issuer": "billing"},
    {"issuer": "tasks/"},
    {"issuer": "TASKS"},
    {"typ": "refresh+jwt"},
    {"typ": "JWT"},
    {"typ": "logout+jwt"},
    {"at": -16 * MINUTE},
    {"at": 10 * MINUTE},
]


def _runtime(caller: Client) -> Runtime:
    runtime: Runtime = caller.place.app.state.garrison
    return runtime


def _issued(caller: Client, *, issuer: str = "tasks", audience: Any = "tasks", at: int = 0, **more: Any) -> str:
    """A token for ada, with a right signature."""
    runtime = _runtime(caller)
    subject = caller("GET", "/api/me").json["id"]
    maker = Issuer(ring_keys(runtime.ring), issuer, audience, **more)
    return maker.issue(subject, runtime.clock.wall() + at, os.urandom, scopes=["tasks:read"]).token


def _is_refused(answer: Answer) -> bool:
    return answer.status == 401 and answer.json["detail"] == "The credential was not accepted."


def test_a_token_for_us_of_us_is_believed(ada: Client, anyone: Client) -> None:
    """Else everything below would prove nothing."""
    assert anyone.with_token(_issued(ada))("GET", "/api/tasks").status == 200


def test_a_token_of_another_audience_issuer_kind_or_time_is_refused(ada: Client, anyone: Client) -> None:
    """RFC 8725 sections 3.8, 3.9 and 3.11: the same key signs for several; what it was signed for counts."""
    for facts in ELSEWHERE:
        assert _is_refused(anyone.with_token(_issued(ada, **facts))("GET", "/api/tasks")), facts


@pytest.mark.parametrize(
    ("brand", "environment"), [("tasks", "live"), ("tasks", "test"), ("notes", "dev"), ("task", "dev")]
)
def test_a_key_of_another_brand_or_environment_is_refused(anyone: Client, brand: str, environment: Any) -> None:
    """Well formed, with a right checksum; it is not even looked up."""
    form = KeyFormat(brand, environment)
    text = form.make("sk", "0" * 12, os.urandom)

    assert _is_refused(anyone.with_key(text)("GET", "/api/tasks"))


def test_our_own_key_under_another_name_is_refused(ada: Client, anyone: Client) -> None:
    """Brand and environment are part of what the checksum and the MAC cover."""
    key: str = ada("POST", "/api/keys", {"name": "k", "scopes": ["tasks:read"]}).json["key"]
    assert anyone.with_key(key)("GET", "/api/tasks").status == 200

    for old, new in (("_dev_", "_live_"), ("tasks_", "notes_"), ("_sk_", "_pk_"), ("_sk_", "_rk_"), ("tasks", "TASKS")):
        assert _is_refused(anyone.with_key(key.replace(old, new, 1))("GET", "/api/tasks"))
    for text in (key[:-1], key + "0", key + " x", f"{key},{key}", key.swapcase()):
        assert _is_refused(anyone.with_key(text)("GET", "/api/tasks"))


def test_a_credential_in_the_wrong_use_is_refused(anyone: Client) -> None:
    """A refresh token opens no route, an access token refreshes nothing, a key is no password."""
    made = anyone(
        "POST", "/api/auth/register", {"username": "ada", "email": "a@example.com", "password": PASSWORD}
    ).json
    token, refresh = made["token"], made["refresh_token"]
    key = anyone.with_token(token)("POST", "/api/keys", {"name": "k", "scopes": ["tasks:read"]}).json["key"]

    assert _is_refused(anyone.with_token(refresh)("GET", "/api/tasks"))
    assert _is_refused(anyone.with_key(refresh)("GET", "/api/tasks"))
    assert _is_refused(anyone.with_key(token)("GET", "/api/tasks"))
    for text in (token, key):
        assert anyone("POST", "/api/auth/refresh", {"refresh_token": text}).status in (401, 422)
        assert anyone("POST", "/api/auth/login", {"login": "ada", "password": text}).status in (401, 422)


def test_a_family_whose_token_came_twice_is_ended_for_both(anyone: Client) -> None:
    """RFC 9700 section 4.14.2: one of the two stole it, and nobody can tell which; the access tokens end as well."""
    made = anyone(
        "POST", "/api/auth/register", {"username": "ada", "email": "a@example.com", "password": PASSWORD}
    ).json
    thief = anyone("POST", "/api/auth/refresh", {"refresh_token": made["refresh_token"]}).json
    assert anyone.with_token(thief["token"])("GET", "/api/me").status == 200

    assert anyone("POST", "/api/auth/refresh", {"refresh_token": made["refresh_token"]}).status == 401

    assert anyone("POST", "/api/auth/refresh", {"refresh_token": thief["refresh_token"]}).status == 401
    for token in (made["token"], thief["token"]):
        assert _is_refused(anyone.with_token(token)("GET", "/api/me"))


@pytest.mark.parametrize(
    "parameter", ["access_token", "token", "jwt", "api_key", "apikey", "key", "x-api-key", "authorization"]
)
def test_a_credential_in_the_query_opens_nothing(ada: Client, anyone: Client, parameter: str) -> None:
    """Queries stand in logs, histories and `Referer` (RFC 9700 section 4.3.2)."""
    token = dict(ada.headers)["authorization"].removeprefix("Bearer ")
    key = ada("POST", "/api/keys", {"name": "k", "scopes": ["tasks:read"]}).json["key"]

    for value in (token, f"Bearer {token}", key):
        answer = anyone("GET", "/api/tasks", **{parameter: value})
        assert answer.status == 401
        assert value not in answer.body.decode()


@pytest.mark.parametrize(
    "field", ["cookie", "x-access-token", "x-auth-token", "proxy-authorization", "x-authorization"]
)
def test_a_credential_in_another_field_opens_nothing(ada: Client, field: str) -> None:
    """A kind has one place; the more places, the more of them somebody else can write to."""
    token = dict(ada.headers)["authorization"]
    values = (token, token.removeprefix("Bearer "), f"token={token}", f"access_token={token.removeprefix('Bearer ')}")

    for value in values:
        assert ada.place.call("GET", "/api/tasks", (HOST, (field, value))).status == 401


def test_two_authorizations_are_none(ada: Client) -> None:
    """Whichever line some proxy reads, the other may be the attacker's."""
    good = dict(ada.headers)["authorization"]

    for other in (good, "Bearer x", "Basic YTpi"):
        for pair in ((good, other), (other, good)):
            fields = [("authorization", value) for value in pair]
            assert ada.place.call("GET", "/api/tasks", (HOST, *fields)).status in (400, 401)
