"""What a policy can say beyond a route and its scopes, over both kinds of adapter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from garrison import Garrison, GarrisonWSGI, Principal
from garrison.guard.drive import drive
from garrison.model.http.request import Request
from garrison.runtime.compose import Runtime
from garrison.stores.protocols import Query
from garrison.testing.clock import ManualClock
from tests.adapters.world import at_work, key_of
from tests.journeys.places import AsgiPlace, Place, WsgiPlace


def _asgi(runtime: Runtime, runner: asyncio.Runner) -> Place:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        me = scope["user"]
        value = {"id": me.id, "scopes": sorted(me.scopes), "app": me.app.id if me.app else ""}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(value).encode()})

    return AsgiPlace(Garrison(app, runtime=runtime), runner)


def _wsgi(runtime: Runtime, runner: asyncio.Runner) -> Place:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        me = environ["garrison.principal"]
        start_response("200 OK", [])
        value = {"id": me.id, "scopes": sorted(me.scopes), "app": me.app.id if me.app else ""}
        return [json.dumps(value).encode()]

    return WsgiPlace(GarrisonWSGI(app, runtime=runtime))


Build = Callable[[Runtime], Place]


@pytest.fixture(params=[_asgi, _wsgi], ids=["asgi", "wsgi"])
def build(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Build:
    """Each kind of adapter in turn."""
    return lambda runtime: request.param(runtime, runner)


HEAD = 'service = "notes"\nhosts = ["api.example.com"]\n'


def _token(runtime: Runtime, name: str, *scopes: str) -> tuple[str, str]:
    issued = runtime.driven_side.trust.issuer.issue(
        name, runtime.clock.wall(), runtime.randomness, scopes=scopes, session="s1"
    )
    return ("authorization", f"Bearer {issued.token}")


def test_a_route_may_ask_for_a_key_and_a_token(build: Build) -> None:
    """The key names the app, the token the user; rights are what both have, limits are spent on both."""
    both = (
        '[routes]\n"GET /x" = { credentials = { all = ["key", "jwt"] }, scopes = ["a"], limit = "2/h per principal" }\n'
    )
    with at_work(HEAD + both) as runtime:
        place = build(runtime)
        key, token = key_of(runtime, "shop", "a", "b"), _token(runtime, "ada", "a", "c")

        answer = place.call("GET", "/x", [key, token])
        assert answer.json == {"id": "user:ada", "scopes": ["a"], "app": "user:shop"}
        for lone in ([key], [token], []):
            assert place.call("GET", "/x", lone).status == 401
        assert place.call("GET", "/x", [key_of(runtime, "shop", "b"), token]).status == 403
        assert place.call("GET", "/x", [key, _token(runtime, "bob", "a")]).status == 429


def test_observe_records_every_refusal_and_refuses_nothing(build: Build) -> None:
    policy = 'mode = "observe"\n' + HEAD + '[routes]\n"GET /x" = { scopes = ["a"], limit = "1/h per principal" }\n'
    with at_work(policy) as runtime:
        place = build(runtime)

        statuses = [place.call("GET", path).status for path in ("/x", "/nowhere")]
        assert statuses == [200, 200]
        assert place.call("GET", "/x", [("host", "evil.example")]).status == 200

        runtime.flush(last=True)
        events = drive(runtime.driven_side.face.read(Query()))
        reasons = {sealed.event.reason for sealed in events}
        assert {"missing", "host_unknown", "route_unknown"} <= reasons
        assert all(sealed.event.outcome == "success" for sealed in events)


def test_an_applications_own_login_is_judged_by_the_same_path(build: Build) -> None:
    def authenticate(request: Request) -> Principal | None:
        name = request.one(b"cookie")
        return Principal(subject=name, scopes=frozenset({"a"}), credential="custom:cookie") if name else None

    policy = HEAD + '[cors.web]\norigins = ["https://app.example.com"]\ncredentials = true\n'
    policy += '[routes]\n"GET|POST /x" = { scopes = ["a"], cors = "web" }\n"GET /b" = { scopes = ["b"] }\n'
    with at_work(policy, authenticate=authenticate) as runtime:
        place = build(runtime)
        cookie = ("cookie", "ada")

        assert place.call("GET", "/x", [cookie]).json["id"] == "user:ada"
        assert place.call("GET", "/x").status == 401
        assert place.call("GET", "/b", [cookie]).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("origin", "https://app.example.com")], 200),
        ([("origin", "https://api.example.com")], 200),
        ([("sec-fetch-site", "same-origin")], 200),
        ([("sec-fetch-site", "none")], 200),
        ([("origin", "https://evil.example")], 403),
        ([("origin", "null")], 403),
        ([("origin", "https://api.example.com.evil.example")], 403),
        ([("sec-fetch-site", "cross-site")], 403),
        ([("sec-fetch-site", "same-site")], 403),
        ([("host", "api.example.com"), ("referer", "https://api.example.com/")], 403),
        ([], 403),
    ],
)
def test_a_write_with_a_cookie_must_prove_where_it_comes_from(
    build: Build, headers: list[tuple[str, str]], status: int
) -> None:
    """Cross-site request forgery; no evidence is refused, because browsers always give some."""

    def authenticate(request: Request) -> Principal | None:
        return Principal(subject="ada", credential="custom:cookie") if b"cookie" in request.fields else None

    policy = HEAD + '[cors.web]\norigins = ["https://app.example.com"]\ncredentials = true\n'
    policy += '[routes]\n"POST /x" = { cors = "web" }\n'
    with at_work(policy, authenticate=authenticate) as runtime:
        assert build(runtime).call("POST", "/x", [("cookie", "session=1"), *headers]).status == status


@pytest.mark.parametrize(
    ("peer", "forwarded", "others"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.8"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.8"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.8"),
    ],
)
def test_behind_a_trusted_proxy_each_client_has_its_own_count(
    build: Build, peer: str, forwarded: str, others: str
) -> None:
    policy = HEAD + '[forwarded]\npeers = ["10.0.0.0/8"]\n'
    policy += '[routes]\n"GET /x" = { public = true, limit = "1/h per address" }\n'
    with at_work(policy) as runtime:
        place = build(runtime)

        def ask(line: str, peer: str = peer) -> int:
            return place.call("GET", "/x", [("x-forwarded-for", line)], peer=peer).status

        assert [ask(forwarded), ask("1.1.1.1, 198.51.100.7"), ask(others)] == [200, 429, 200]


def test_a_forged_forwarding_header_changes_nothing(build: Build) -> None:
    """Whoever connects directly is counted as who they are, whatever they write."""
    policy = HEAD + '[forwarded]\npeers = ["10.0.0.0/8"]\n'
    policy += '[routes]\n"GET /x" = { public = true, limit = "1/h per address" }\n'
    with at_work(policy) as runtime:
        place = build(runtime)

        statuses = [
            place.call("GET", "/x", [("x-forwarded-for", f"198.51.100.{n}"), ("forwarded", f"for=198.51.100.{n}")])
            for n in range(5)
        ]

        assert [answer.status for answer in statuses] == [200, 429, 429, 429, 429]


def test_a_place_is_given_back_when_the_answer_is_out(build: Build) -> None:
    policy = HEAD + '[routes]\n"GET /x" = { public = true, limit = "1 at once per address" }\n'
    with at_work(policy) as runtime:
        place = build(runtime)

        assert [place.call("GET", "/x").status for _ in range(5)] == [200] * 5


def test_a_body_must_fit_its_schema(build: Build, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": "integer"}},
        "additionalProperties": False,
    }
    (tmp_path / "note.json").write_text(json.dumps(schema))
    policy = tmp_path / "garrison.toml"
    policy.write_text(HEAD + '[routes]\n"POST /x" = { public = true, limit = "9/s per address", body = "note.json" }\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    with at_work(policy) as runtime:
        place = build(runtime)

        def post(body: bytes, kind: str = "application/json") -> tuple[int, Any]:
            answer = place.call("POST", "/x", [("content-type", kind)], body)
            return answer.status, answer.json

        assert post(b'{"n": 1}')[0] == 200
        status, told = post(b'{"n": "1", "m": 2}')
        assert (status, told["code"], len(told["errors"])) == (422, "body_invalid", 2)
        assert post(b"n=1", "application/x-www-form-urlencoded")[0] == 415
        assert post(b'{"n": 1, "n": 2}')[0] == 400


def test_refusals_are_written_to_the_journal_and_a_flood_is_one_record(build: Build) -> None:
    with at_work(HEAD + '[routes]\n"GET /x" = { scopes = ["a"] }\n', ManualClock()) as runtime:
        place = build(runtime)
        for _ in range(50):
            place.call("GET", "/x", [("x-api-key", "wrong")])

        runtime.flush(last=True)
        events = [sealed.event for sealed in drive(runtime.driven_side.face.read(Query()))]

        assert len(events) == 11
        assert sum(event.count for event in events) == 50
        assert all(event.outcome == "refused" and event.address == "192.0.2.1" for event in events)
        assert not any("wrong" in str(event) for event in events)
