"""`@limit` holds on FastAPI and Starlette endpoints of every shape, without a policy and without being noticed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi import Request as FastRequest
from fastapi import Response as FastResponse
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from garrison import limit
from garrison.errors import UsageError
from garrison.limits import Ask, Verdict, parse
from garrison.model.units import MINUTE, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Count:
    """Counters on a clock of the test's, and the decorator that uses them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.counters = MemoryCounters(self.clock)
        self.limit: Callable[..., Any] = functools.partial(limit, counters=self.counters)


@pytest.fixture
def count() -> Count:
    return Count()


def client(app: Any, address: str = "203.0.113.7") -> TestClient:
    return TestClient(app, client=(address, 50_000))


def checks(get: TestClient, path: str, passes: int) -> None:
    """See that so many requests pass, with their fields, and that the next is refused in full."""
    for left in reversed(range(passes)):
        answer = get.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["ratelimit-policy"] == f'"{passes}/m";q={passes};w=60'
        assert answer.headers["ratelimit"].startswith(f'"{passes}/m";r={left};t=')
    refused = get.get(path)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["retry-after"] == str(-(-60 // passes))
    assert refused.headers["ratelimit"] == f'"{passes}/m";r=0;t={-(-60 // passes)}'
    told = refused.json()
    assert len(told.pop("correlation")) == 12
    assert told == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Too many requests",
        "status": 429,
        "detail": "A limit is spent. Try again after the time given.",
        "code": "limit_exceeded",
        "violated-policies": [f"{passes}/m"],
    }


def test_it_holds_on_every_shape_of_a_fastapi_endpoint(count: Count) -> None:
    """With and without `async`, request, response, parameters, dependencies, a response model."""
    app = FastAPI()

    def settings() -> dict[str, int]:
        return {"depth": 3}

    @app.get("/plain/{name}")
    @count.limit("3/m")
    def plain(name: str, q: int = 1) -> dict[str, Any]:
        return {"name": name, "q": q}

    @app.get("/awaited/{name}")
    @count.limit("3/m")
    async def awaited(name: str) -> dict[str, str]:
        return {"name": name}

    @app.get("/given")
    @count.limit("3/m")
    def given(request: FastRequest, response: FastResponse) -> str:
        response.headers["x-own"] = request.url.path
        return "ok"

    @app.get("/answered")
    @count.limit("3/m")
    async def answered() -> Response:
        return PlainTextResponse("ok")

    @app.get("/depends")
    @count.limit("3/m")
    def depends(found: Annotated[dict[str, int], Depends(settings)], **_: Any) -> dict[str, int]:
        return found

    @app.get("/connected")
    @count.limit("3/m")
    def connected(connection: HTTPConnection) -> str:
        return connection.url.path

    get = client(app)
    assert get.get("/plain/ada?q=7").json() == {"name": "ada", "q": 7}
    count.clock.advance(MINUTE)
    for path in ("/plain/ada", "/awaited/ada", "/answered", "/connected"):
        checks(get, path, 3)
    assert get.get("/given").headers["x-own"] == "/given"
    assert get.get("/plain/ada?q=x").status_code == 422


def test_two_endpoints_of_one_factory_count_apart(count: Count) -> None:
    """They have one name, and are two functions."""
    app = FastAPI()

    def make(path: str) -> None:
        @app.get(path)
        @count.limit("1/m")
        def made() -> str:
            return path

    make("/a")
    make("/b")
    get = client(app)

    assert [get.get(path).status_code for path in ("/a", "/b", "/a", "/b")] == [200, 200, 429, 429]


def test_a_refusal_has_the_name_that_the_guard_gave_the_request(count: Count) -> None:
    """So that it is found beside whatever else is known of the request."""

    @count.limit("0/m")
    def nothing(request: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", nothing)])

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {"correlation": "c-1"}}, receive, send)

    assert client(guarded).get("/").json()["correlation"] == "c-1"


def test_it_leaves_no_trace_in_the_api_description(count: Count) -> None:
    """What it adds to the signature is no parameter of the API."""
    plain, limited = FastAPI(), FastAPI()

    def search(q: str, page: int = 1) -> list[str]:
        """Find things."""
        return [q] * page

    plain.get("/search")(search)
    limited.get("/search")(count.limit("3/m")(search))

    assert limited.openapi() == plain.openapi()


def test_it_holds_on_every_shape_of_a_starlette_endpoint(count: Count) -> None:
    """Functions and classes."""

    @count.limit("3/m")
    def plain(request: Request) -> Response:
        return PlainTextResponse("ok")

    @count.limit("3/m")
    async def awaited(request: Request) -> Response:
        return JSONResponse({"path": request.url.path})

    class Thing(HTTPEndpoint):
        @count.limit("3/m")
        async def get(self, request: Request) -> Response:
            return PlainTextResponse(request.method)

    app = Starlette(routes=[Route("/plain", plain), Route("/awaited/{x}", awaited), Route("/thing", Thing)])

    for path in ("/plain", "/awaited/1", "/thing"):
        checks(client(app), path, 3)


def test_it_holds_although_types_are_imported_for_checkers_only(count: Count) -> None:
    """Then nothing is known of the signature, and the request is found when it comes."""
    namespace: dict[str, Any] = {"limit": count.limit}
    code = (
        "from __future__ import annotations\n"
        "@limit('3/m')\nasync def show(request: Request) -> Nowhere:\n    return respond('ok')\n"
    )
    exec(code, namespace)
    namespace["respond"] = PlainTextResponse

    checks(client(Starlette(routes=[Route("/show", namespace["show"])])), "/show", 3)


def test_several_limits_are_spent_together_or_not_at_all(count: Count) -> None:
    """In one decorator in one step; stacked, one after the other."""
    app = FastAPI()

    @app.get("/both")
    @count.limit("10/m", "at most 2 in 1h")
    def both() -> str:
        return "ok"

    @app.get("/stacked")
    @count.limit("2/m as outer")
    @count.limit("9/h as inner")
    async def stacked() -> str:
        return "ok"

    get = client(app)
    for _ in range(20):
        last = get.get("/both")
    assert (last.status_code, last.json()["violated-policies"]) == (429, ["at-most-2-in-1h"])
    count.clock.advance(60 * MINUTE)
    assert get.get("/both").headers["ratelimit"].startswith('"10/m";r=9')
    assert get.get("/stacked").headers.get_list("ratelimit") == ['"inner";r=8;t=400', '"outer";r=1;t=30']
    get.get("/stacked")
    assert get.get("/stacked").json()["violated-policies"] == ["outer"]


def test_it_counts_addresses_and_believes_only_trusted_proxies(count: Count) -> None:
    """Neighbours in a /64 are one, strangers are apart, and a header from a stranger is nothing."""
    app = Starlette()

    @count.limit("1/m", trusted=["10.0.0.0/8"])
    async def hello(request: Request) -> Response:
        return PlainTextResponse("ok")

    app.add_route("/", hello)

    def ask(peer: str, forwarded: str = "") -> int:
        return client(app, peer).get("/", headers={"x-forwarded-for": forwarded} if forwarded else {}).status_code

    assert [ask("203.0.113.7"), ask("203.0.113.7"), ask("203.0.113.8")] == [200, 429, 200]
    assert [ask("2001:db8::1"), ask("2001:db8::2"), ask("2001:db8:0:1::1")] == [200, 429, 200]
    assert [ask("203.0.113.9"), ask("203.0.113.9", "1.1.1.1")] == [200, 429]
    assert [ask("10.0.0.1", "1.2.3.4, 203.0.113.10"), ask("10.0.0.2", "9.9.9.9, 203.0.113.10")] == [200, 429]
    assert [ask("testclient"), ask("somebody")] == [200, 429]


def test_it_reads_the_header_it_is_told(count: Count) -> None:
    """And no other."""

    @count.limit("1/m", trusted=["unix"], header="forwarded")
    async def hello(request: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", hello)])
    get = client(app, "")

    assert get.get("/", headers={"forwarded": "for=203.0.113.7"}).status_code == 200
    assert get.get("/", headers={"forwarded": "for=203.0.113.7", "x-forwarded-for": "1.1.1.1"}).status_code == 429
    assert get.get("/", headers={"forwarded": "for=203.0.113.8"}).status_code == 200


def test_it_counts_whom_it_is_told(count: Count) -> None:
    """Each customer apart, or everybody together."""
    app = FastAPI()

    @app.get("/mine")
    @count.limit("1/m per key", by=lambda connection: connection.headers.get("x-customer", ""))
    def mine() -> str:
        return "ok"

    @app.get("/ours")
    @count.limit("1/m per global")
    def ours() -> str:
        return "ok"

    get = client(app)
    said = [get.get("/mine", headers={"x-customer": name}).status_code for name in ("a", "b", "a", "a|b")]
    assert said == [200, 200, 429, 200]
    assert [client(app, address).get("/ours").status_code for address in ("1.1.1.1", "2.2.2.2")] == [200, 429]


def test_a_place_is_held_until_the_endpoint_returns(count: Count) -> None:
    """However it ends; what another endpoint does is its own affair."""
    app, nested = FastAPI(), list[int]()

    @app.get("/slow")
    @count.limit("1 at once")
    async def slow(again: bool = False) -> str:
        if again:
            nested.append(client(app).get("/slow").status_code)
        return "ok"

    @app.get("/fails")
    @count.limit("1 at once")
    def fails() -> str:
        raise RuntimeError("in the endpoint")

    get = client(app)
    assert [get.get("/slow?again=true").status_code, get.get("/slow").status_code] == [200, 200]
    assert nested == [429]
    for _ in range(2):
        with pytest.raises(RuntimeError, match="in the endpoint"):
            get.get("/fails")


def test_a_limit_that_only_observes_changes_no_answer(count: Count) -> None:
    """Neither status nor fields."""
    app = FastAPI()

    @app.get("/")
    @count.limit("1/m observe")
    def hello() -> str:
        return "ok"

    answers = [client(app).get("/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert not any("ratelimit" in answer.headers for answer in answers)


def test_time_brings_requests_back(count: Count) -> None:
    """After Retry-After, not before."""
    app = FastAPI()

    @app.get("/")
    @count.limit("1/m")
    def hello() -> str:
        return "ok"

    get = client(app)
    get.get("/")
    wait = int(get.get("/").headers["retry-after"])
    count.clock.advance(wait * SECOND - 1)
    assert get.get("/").status_code == 429
    count.clock.advance(1)
    assert get.get("/").status_code == 200


def test_without_counters_of_its_own_it_uses_those_of_the_process() -> None:
    """On the real clock."""
    app = FastAPI()

    @app.get("/")
    @limit("2/d")
    def hello() -> str:
        return "ok"

    assert [client(app).get("/").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("notations", "facts"),
    [
        ((), {}),
        (("5",), {}),
        (("5/s per key",), {}),
        (("5/s per principal",), {}),
        (("5/s",), {"trusted": ["10.0.0.1/8"]}),
    ],
)
def test_a_mistake_is_told_when_the_module_is_loaded(notations: tuple[str, ...], facts: dict[str, Any]) -> None:
    """Not when the first request comes."""
    with pytest.raises(UsageError):
        limit(*notations, **facts)


def test_a_function_that_gets_no_request_is_told_so(count: Count) -> None:
    """A decorator in the wrong order would limit nobody, silently."""

    @count.limit("5/s")
    def helper() -> str:
        return "ok"

    with pytest.raises(UsageError, match="directly above"):
        helper()
    assert count.limit("5/s")(lambda connection: "ok")(Request({"type": "http", "client": None, "headers": []})) == "ok"


def test_counters_that_wait_are_awaited(count: Count) -> None:
    """Stores on a network suspend; the endpoint does too."""

    class Remote(MemoryCounters):
        async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
            import asyncio

            await asyncio.sleep(0)
            return await super().take(asks)

    remote = Remote(count.clock)

    @limit("1/m", counters=remote)
    async def hello(request: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", hello)])
    assert [client(app).get("/").status_code for _ in range(2)] == [200, 429]
    assert parse("1/m").count == 1
