"""Attack: a page of another site logs its visitor in to the attacker's account, and reads what the visitor writes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from garrison.model.http.request import Header
from tests.accounts.api import ORIGIN, Api
from tests.accounts.world import PASSWORD

BODY = msgspec.json.encode({"login": "mallory", "password": PASSWORD})


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.chdir(tmp_path)
    api = Api()
    api.register("mallory")
    return api


@pytest.mark.parametrize(
    "kind",
    [
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"text/plain; application/json",
        b"application/jsonx",
        b"",
    ],
)
def test_a_form_cannot_log_in(api: Api, kind: bytes) -> None:
    """What a page may send without asking is none of what a login takes (Fetch, CORS-safelisted content types)."""
    reply = api.send("POST", "/auth/login", BODY, kind=(b"content-type", kind))

    assert (reply.status, reply.code) == (415, "body_type")
    assert reply.cookies == []


def test_a_body_of_no_type_cannot_log_in(api: Api) -> None:
    assert api.send("POST", "/auth/login", BODY, kind=None).status == 415


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-fetch-site", b"cross-site"), (b"origin", b"https://evil.example")],
        [(b"sec-fetch-site", b"same-site"), (b"origin", b"https://evil.example")],
        [(b"origin", b"https://evil.example")],
        [(b"origin", b"null")],
        [(b"origin", b"https://app.example.com.evil.example")],
        [(b"origin", b"http://app.example.com")],
    ],
)
@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
def test_a_page_of_another_site_is_refused(api: Api, headers: list[Header], path: str) -> None:
    """Also without a cookie to ride on: the answer would set one."""
    reply = api.send("POST", path, BODY, *headers)

    assert (reply.status, reply.code) == (403, "cross_site")
    assert reply.cookies == []


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-fetch-site", b"same-origin")],
        [(b"sec-fetch-site", b"same-site"), (b"origin", ORIGIN.encode())],
        [(b"sec-fetch-site", b"cross-site"), (b"origin", ORIGIN.encode())],
    ],
)
def test_our_own_pages_log_in(api: Api, headers: list[Header]) -> None:
    assert api.send("POST", "/auth/login", BODY, *headers).status == 200


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/refresh", "/auth/logout"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_nothing_happens_by_following_a_link(api: Api, method: str, path: str) -> None:
    assert api.send(method, path).status == 405
