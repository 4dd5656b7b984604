"""The wrappers, over ASGI and WSGI alike: what passes, what is answered here, what happens to a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from garrison.cors import CorsMiddleware, CorsPolicy, CorsWSGI, LiveCors
from garrison.errors import PolicyError
from garrison.headers import HeadersPolicy
from tests.cors.ends import App, Call, asgi, handshake, wsgi

APP = "https://app.example.com"
API = "https://api.example.com"
EVIL = "https://evil.example"
POLICY = CorsPolicy(origins=(APP,), methods=("PUT",), credentials=True)
FROM_APP = ("Origin", APP)
FROM_EVIL = ("Origin", EVIL)
ASKS = ("Access-Control-Request-Method", "PUT")

both = pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
Over = Callable[..., Call]


@both
def test_a_granted_answer(over: Over) -> None:
    """The application's fields in their order, then ours; Vary is merged into one line."""
    got = over(App([("content-type", "text/plain"), ("vary", "Accept"), ("vary", "Cookie")]), POLICY)("GET", [FROM_APP])

    assert (got.status, got.body) == (200, b"text")
    assert got.headers == [
        ("content-type", "text/plain"),
        ("access-control-allow-origin", APP),
        ("access-control-allow-credentials", "true"),
        ("vary", "Accept,Cookie,Origin"),
    ]


@both
def test_a_preflight_ends_here(over: Over) -> None:
    """It carries no credential, so nothing behind may see it."""
    app = App()
    call = over(app, POLICY)

    granted, refused = call("OPTIONS", [FROM_APP, ASKS]), call("OPTIONS", [FROM_EVIL, ASKS])

    assert (granted.status, granted.body) == (204, b"")
    assert (refused.status, refused.all("content-length")) == (403, ["0"])
    assert app.calls == 0


@both
def test_an_ordinary_options_request_passes(over: Over) -> None:
    """With Origin alone, or with the question alone, it is no preflight."""
    app = App()
    call = over(app, POLICY)

    assert call("OPTIONS", [FROM_APP]).status == call("OPTIONS", [ASKS]).status == 200
    assert app.calls == 2


@both
def test_a_question_over_two_lines_is_one_question(over: Over) -> None:
    """Intermediaries split lists; two methods are none."""
    call = over(App(), CorsPolicy(origins=(APP,), headers=("X-A", "X-B")))
    names = [("Access-Control-Request-Headers", "x-a"), ("Access-Control-Request-Headers", "x-b")]
    get = ("Access-Control-Request-Method", "GET")

    assert call("OPTIONS", [FROM_APP, get, *names]).status == 204
    assert call("OPTIONS", [FROM_APP, get, get]).status == 403


@both
def test_the_old_private_network_question_is_answered_if_allowed(over: Over) -> None:
    """And else ignored, not refused."""
    asked = [FROM_APP, ASKS, ("Access-Control-Request-Private-Network", "true")]
    field = "access-control-allow-private-network"
    allowing = CorsPolicy(origins=(APP,), methods=("PUT",), private_network=True)

    assert over(App(), POLICY)("OPTIONS", asked).all(field) == []
    assert over(App(), allowing)("OPTIONS", asked).all(field) == ["true"]


@both
def test_debug_makes_a_refusal_legible(over: Over) -> None:
    """The browser's console names the step only if the answer is a success."""
    assert over(App(), POLICY, debug=True)("OPTIONS", [FROM_EVIL, ASKS]).status == 204


@both
@pytest.mark.parametrize("lazy", [False, True])
def test_a_fault_before_the_answer_is_answered_and_raised_on(over: Over, lazy: bool) -> None:
    """The page reads the 500, the server logs the traceback, nobody sees it in the answer."""
    got = over(App(fail="before", lazy=lazy), POLICY)("GET", [FROM_APP])

    assert got.status == 500
    assert got.all("access-control-allow-origin") == [APP]
    assert got.all("content-length") == [str(len(got.body))]
    assert b"before" not in got.body
    assert str(got.fault) == "before"


@both
@pytest.mark.parametrize("lazy", [False, True])
def test_a_fault_after_the_answer_began_is_only_raised_on(over: Over, lazy: bool) -> None:
    """Two answers to one request would be a protocol error."""
    got = over(App(fail="after", lazy=lazy), POLICY)("GET", [FROM_APP])

    assert got.status == 200
    assert str(got.fault) == "after"


def test_a_lazy_wsgi_body_is_still_closed() -> None:
    """PEP 3333: the server's close reaches the application's body, exactly once."""
    app = App(lazy=True)

    assert wsgi(app, POLICY)("GET").body == b"text"
    assert app.closed == 1


def test_a_lazy_wsgi_body_without_close_is_fine() -> None:
    """Not every iterable has one."""

    def application(_environ: Any, start_response: Any) -> Any:
        def begin(chunk: bytes) -> bytes:
            start_response("200 OK", [])
            return chunk

        return map(begin, [b"text"])

    chunks = CorsWSGI(application, POLICY)({"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}, lambda *_: None)

    assert list(chunks) == [b"text"]


def test_a_wsgi_body_that_has_begun_is_passed_as_it_is() -> None:
    """A wrapper around it would lose the server's file transfer."""
    body = [b"text"]

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [], None)
        return body

    assert CorsWSGI(application, POLICY)({"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}, lambda *_: None) is body


@both
def test_the_message_of_the_application_is_not_changed(over: Over) -> None:
    """Applications share header lists between answers."""
    app = App([("vary", "Accept")])
    call = over(app, POLICY, headers=HeadersPolicy())

    first, second = call("GET", [FROM_APP]), call("GET", [FROM_APP])

    assert first.headers == second.headers
    assert app.headers == [("vary", "Accept")]


def test_an_answer_without_headers_gets_ours() -> None:
    """ASGI lets an application leave them out, and a server the scheme, which then is http."""

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": []}
    asyncio.run(CorsMiddleware(application, POLICY)(scope, _never, send))
    asyncio.run(CorsMiddleware(application, POLICY, headers=HeadersPolicy())(scope, _never, send))

    assert sent[0] == {"type": "http.response.start", "status": 204, "headers": [(b"vary", b"Origin")]}
    assert b"strict-transport-security" not in dict(sent[1]["headers"])


@both
def test_security_headers_come_in_the_same_pass(over: Over) -> None:
    """HSTS over https alone, no-store where the caller says who it is, the application's value first."""
    call = over(App([("referrer-policy", "origin"), ("server", "old/1.0")]), POLICY, headers=HeadersPolicy())

    plain, secure = call("GET", scheme="http"), call("GET", [("Authorization", "Bearer x"), FROM_APP])

    assert plain.all("strict-transport-security") == plain.all("cache-control") == plain.all("server") == []
    assert secure.all("strict-transport-security") == ["max-age=63072000; includeSubDomains"]
    assert secure.all("cache-control") == ["no-store"]
    assert secure.all("referrer-policy") == ["origin"]
    assert secure.all("access-control-allow-origin") == [APP]


@both
def test_a_live_policy_is_read_for_each_request(over: Over) -> None:
    """The next request meets the new policy, over the same wrapper."""
    live = LiveCors(POLICY)
    call = over(App(), live)

    before = call("GET", [FROM_EVIL]).all("access-control-allow-origin")
    live.replace(CorsPolicy(origins=(EVIL,)))

    assert (before, call("GET", [FROM_EVIL]).all("access-control-allow-origin")) == ([], [EVIL])


@both
@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", [("Cookie", "a=b"), FROM_EVIL], 403),
        ("POST", [("Cookie", "a=b")], 403),
        ("POST", [("Authorization", "Basic eA=="), FROM_EVIL], 403),
        ("POST", [("Cookie", "a=b"), ("Sec-Fetch-Site", "cross-site")], 403),
        ("POST", [("Cookie", "a=b"), ("Sec-Fetch-Site", "same-origin")], 200),
        ("POST", [("Cookie", "a=b"), ("Origin", API)], 200),
        ("POST", [("Cookie", "a=b"), FROM_APP], 200),
        ("POST", [("Authorization", "Bearer x"), FROM_EVIL], 200),
        ("POST", [FROM_EVIL], 200),
        ("GET", [("Cookie", "a=b"), FROM_EVIL], 200),
    ],
)
def test_cross_site_writes_are_refused_where_authority_is_ambient(
    over: Over, method: str, headers: list[tuple[str, str]], status: int
) -> None:
    """And only there: a token that the page holds itself is its own proof."""
    app = App()
    live = LiveCors(POLICY)

    got = over(app, live, served=(API,))(method, headers)

    assert got.status == status
    assert app.calls == (status == 200)
    assert live.current.tally.counts["cross_site"] == (status == 403)
    assert got.all("vary") == ["Origin"]


@both
def test_without_served_origins_writes_are_not_judged(over: Over) -> None:
    """There is nothing to compare with; the guard does it with the policy's hosts."""
    assert over(App(), POLICY)("POST", [("Cookie", "a=b"), FROM_EVIL]).status == 200


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([FROM_APP], "websocket.accept"),
        ([("Origin", API)], "websocket.accept"),
        ([], "websocket.accept"),
        ([("Cookie", "a=b")], "websocket.close"),
        ([FROM_EVIL], "websocket.close"),
        ([FROM_APP, FROM_APP], "websocket.close"),
    ],
)
def test_a_handshake_is_judged(headers: list[tuple[str, str]], answer: str) -> None:
    """Closed before it is accepted, which servers answer with 403."""
    live = LiveCors(POLICY)

    assert handshake(App(), headers, live, served=(API,)) == [answer]
    assert live.current.tally.counts["handshake"] == (answer == "websocket.close")


def test_lifespan_passes() -> None:
    """Start and shutdown are no requests."""
    seen: list[str] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(CorsMiddleware(application, POLICY)({"type": "lifespan"}, _never, _never))

    assert seen == ["lifespan"]


@pytest.mark.parametrize("wrapper", [CorsMiddleware, CorsWSGI])
def test_mistakes_are_found_when_the_application_is_built(wrapper: Any) -> None:
    """Not at the first request."""
    for arguments in (
        {"policy": CorsPolicy(origins=())},
        {"policy": POLICY, "served": ("*",)},
        {"policy": POLICY, "headers": HeadersPolicy(hsts="soon")},
    ):
        with pytest.raises(PolicyError):
            wrapper(None, **arguments)


async def _never(*_: Any) -> Any:
    raise AssertionError
