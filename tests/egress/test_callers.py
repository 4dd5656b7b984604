"""Both ways out, against a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from garrison import egress
from garrison.egress import AwaitingFetch, BlockingFetch, Rules
from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.model.http.fetch import Fetched
from tests.egress.server import HOST, Server, body, saying, serving, trust

Get = Callable[[str], Fetched]


def rules(port: int, **parts: Any) -> Rules:
    """Loopback is named, else nothing could be reached here."""
    return Rules(hosts=(f"{HOST}:{port}", f"127.0.0.1:{port}"), private=("127.0.0.0/8",), **parts)


def caller(kind: str, allowed: Rules, addresses: Sequence[str] = ("127.0.0.1",)) -> Get:
    """One of the two callers, with a resolver that always gives these addresses."""
    if kind == "blocking":
        blocking = BlockingFetch(allowed, tls=trust(), resolve=lambda _host, _port: addresses)
        return lambda url: drive(blocking(url))

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    awaiting = AwaitingFetch(allowed, tls=trust(), resolve=resolve)
    return lambda url: asyncio.run(awaiting(url))


@pytest.fixture(params=["blocking", "awaiting"])
def kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


def test_an_honest_answer_comes_back(kind: str) -> None:
    """Over TLS, by name, and the name goes into the request."""
    with serving(saying(body(b'{"keys":[]}'))) as server:
        found = caller(kind, rules(server.port))(f"https://{HOST}:{server.port}/jwks.json")

    assert (found.status, found.body) == (200, b'{"keys":[]}')
    assert server.asked[0].startswith(b"GET /jwks.json HTTP/1.1\r\nHost: keys.example.com:")


def test_a_body_of_many_pieces_is_put_together(kind: str) -> None:
    """More than one TLS record and more than one read."""
    text = b"x" * 300_000
    with serving(saying(body(text))) as server:
        assert caller(kind, rules(server.port))(f"https://{HOST}:{server.port}/").body == text


def test_the_next_address_is_tried_when_one_does_not_answer(kind: str) -> None:
    """127.0.0.2 has no listener on that port."""
    with serving(saying(body(b"{}"))) as server:
        get = caller(kind, rules(server.port), ["127.0.0.2", "127.0.0.1"])

        assert get(f"https://{HOST}:{server.port}/").body == b"{}"


def test_http_to_loopback_when_dangerously_allowed(kind: str) -> None:
    """For development."""
    with serving(saying(body(b"{}")), tls=False) as server:
        allowed = rules(server.port, dangerously_http_to_loopback=True)

        assert caller(kind, allowed)(f"http://127.0.0.1:{server.port}/").body == b"{}"


def test_the_systems_own_resolver_is_asked_when_no_other_is_given(kind: str) -> None:
    """`localhost` is known everywhere."""
    with serving(saying(body(b"{}")), tls=False) as server:
        allowed = Rules(hosts=(f"localhost:{server.port}",), dangerously_http_to_loopback=True)
        url = f"http://localhost:{server.port}/"
        found = drive(BlockingFetch(allowed)(url)) if kind == "blocking" else asyncio.run(AwaitingFetch(allowed)(url))

    assert found.body == b"{}"


def test_a_certificate_for_another_name_is_refused(kind: str) -> None:
    """The name that was asked for counts, not the address connected to."""
    with serving(saying(body(b"{}"))) as server:
        allowed = Rules(hosts=(f"other.example.com:{server.port}",), private=("127.0.0.0/8",))

        with pytest.raises(StoreError, match="could not be fetched"):
            caller(kind, allowed)(f"https://other.example.com:{server.port}/")


def test_a_server_that_hangs_up_is_an_error(kind: str) -> None:
    """In the middle of its answer."""
    cut = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    with serving(cut) as server, pytest.raises(StoreError, match="cut short"):
        caller(kind, rules(server.port))(f"https://{HOST}:{server.port}/")


def test_a_server_without_tls_is_an_error(kind: str) -> None:
    """It waits for a request in clear, and gets none."""
    with serving(saying(body(b"{}")), tls=False) as server, pytest.raises(StoreError):
        caller(kind, rules(server.port, time=200_000))(f"https://{HOST}:{server.port}/")

    assert server.asked == [] or b"GET" not in server.asked[0]


def test_nobody_listens(kind: str) -> None:
    """A refused connection is one StoreError with its cause."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(StoreError) as failure:
        caller(kind, rules(port))(f"https://{HOST}:{port}/")

    assert isinstance(failure.value.__cause__, OSError)


def test_a_name_that_does_not_exist(kind: str) -> None:
    """With the system's own resolver; `.invalid` never exists (RFC 6761 section 6.4)."""
    allowed = Rules(hosts=("keys.invalid",))
    url = "https://keys.invalid/"

    with pytest.raises(StoreError):
        drive(BlockingFetch(allowed)(url)) if kind == "blocking" else asyncio.run(AwaitingFetch(allowed)(url))


@contextmanager
def holding(answer: bytes) -> Iterator[tuple[Server, threading.Event]]:
    """A server that says when it was asked, and answers once the test says so."""
    go = threading.Event()

    def later(connection: socket.socket) -> None:
        go.wait(10)
        connection.sendall(answer)

    with serving(later) as server:
        yield server, go


def test_tasks_that_want_the_same_share_one_request() -> None:
    """And one that gives up takes nothing from the others."""
    asked = 0

    async def storm(port: int, go: threading.Event) -> list[Fetched]:
        looked_up, proceed = asyncio.Event(), asyncio.Event()

        async def resolve(_host: str, _port: int) -> list[str]:
            nonlocal asked
            asked += 1
            looked_up.set()
            await proceed.wait()
            return ["127.0.0.1"]

        fetch = AwaitingFetch(rules(port), tls=trust(), resolve=resolve)
        tasks = [asyncio.create_task(fetch(f"https://{HOST}:{port}/")) for _ in range(20)]
        await looked_up.wait()
        tasks[0].cancel()
        proceed.set()
        go.set()
        return await asyncio.gather(*tasks[1:])

    with holding(body(b"{}")) as (server, go):
        found = asyncio.run(storm(server.port, go))

    assert {one.body for one in found} == {b"{}"}
    assert len(server.asked) == asked == 1


def test_a_failure_that_nobody_waits_for_any_more_disturbs_nobody() -> None:
    """All who waited gave up; no warning about an error that was never looked at."""

    async def give_up() -> bool:
        gone = asyncio.Event()

        async def resolve(_host: str, _port: int) -> list[str]:
            await gone.wait()
            return ["10.0.0.1"]

        fetch = AwaitingFetch(Rules(hosts=(HOST,)), resolve=resolve)
        task = asyncio.create_task(fetch(f"https://{HOST}/"))
        await asyncio.sleep(0)
        task.cancel()
        gone.set()
        flights = [flight for flight in asyncio.all_tasks() if flight not in {task, asyncio.current_task()}]
        await asyncio.wait([task, *flights])
        return not fetch._flights

    assert asyncio.run(give_up())


def test_a_flight_that_is_cancelled_is_over_too() -> None:
    """The loop shuts down while it is under way."""

    async def shut_down() -> bool:
        async def resolve(_host: str, _port: int) -> list[str]:
            await asyncio.Event().wait()
            return []

        fetch = AwaitingFetch(Rules(hosts=(HOST,)), resolve=resolve)
        waiting = asyncio.create_task(fetch(f"https://{HOST}/"))
        await asyncio.sleep(0)
        for flight in list(fetch._flights.values()):
            flight.cancel()
        await asyncio.wait([waiting])
        return waiting.cancelled() and not fetch._flights

    assert asyncio.run(shut_down())


def test_threads_that_want_the_same_share_one_request() -> None:
    """The first looks the name up; all who come before it is done wait for its answer."""
    looked_up, proceed = threading.Event(), threading.Event()
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        looked_up.set()
        proceed.wait(10)
        return ["127.0.0.1"]

    with serving(saying(body(b"{}"))) as server:
        fetch = BlockingFetch(rules(server.port), tls=trust(), resolve=resolve)
        url = f"https://{HOST}:{server.port}/"
        found: list[Fetched] = []
        threads = [threading.Thread(target=lambda: found.append(drive(fetch(url)))) for _ in range(8)]
        threads[0].start()
        looked_up.wait(10)
        flight = fetch._flights[url]
        for thread in threads[1:]:
            thread.start()
        while len(flight._condition._waiters) < 7:  # type: ignore[attr-defined]  # the only place that knows
            threading.Event().wait(0.001)
        proceed.set()
        for thread in threads:
            thread.join(10)

    assert [one.body for one in found] == [b"{}"] * 8
    assert len(server.asked) == len(asked) == 1


def test_a_flight_that_failed_is_over(kind: str) -> None:
    """The next call tries anew."""
    answers = [b"nonsense\r\n\r\n", body(b"{}")]
    with serving(lambda connection: connection.sendall(answers.pop(0))) as server:
        get = caller(kind, rules(server.port))
        url = f"https://{HOST}:{server.port}/"

        with pytest.raises(StoreError):
            get(url)
        assert get(url).body == b"{}"


def test_time_that_is_up_before_it_began(kind: str) -> None:
    """Looking the name up took all of it."""
    with pytest.raises(StoreError, match="could not be fetched"):
        caller(kind, rules(9, time=1))(f"https://{HOST}:9/")


def test_a_rude_end_in_the_middle_is_an_error(kind: str) -> None:
    """Neither TLS nor HTTP was ended: anybody on the way could have cut the line."""

    def slam(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        raise OSError

    with serving(slam) as server, pytest.raises(StoreError):
        caller(kind, rules(server.port))(f"https://{HOST}:{server.port}/")


def test_the_package_has_no_other_names() -> None:
    """Loaded on first use, and only these."""
    with pytest.raises(AttributeError):
        _ = egress.Fetcher
