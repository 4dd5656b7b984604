"""Somebody else decides where our server connects to: inside addresses, rebinding, redirects, other hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from garrison.egress import AwaitingFetch, BlockingFetch, Rules
from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.model.http.fetch import Fetched
from tests.egress.server import HOST, body, saying, serving, trust


def fetch(kind: str, rules: Rules, url: str, answers: Iterator[Sequence[str]]) -> Fetched:
    """Fetch with a resolver that the attacker owns: each look-up gets the next answer."""
    if kind == "blocking":
        return drive(BlockingFetch(rules, tls=trust(), resolve=lambda _host, _port: next(answers))(url))

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    return asyncio.run(AwaitingFetch(rules, tls=trust(), resolve=resolve)(url))


@pytest.fixture(params=["blocking", "awaiting"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
def test_a_listed_name_that_leads_inside_is_refused(kind: str, inside: str) -> None:
    """The owner of the name points it at the metadata service."""
    with serving(saying(body(b"secret"))) as server:
        rules = Rules(hosts=(f"{HOST}:{server.port}",))

        with pytest.raises(StoreError, match="no address"):
            fetch(kind, rules, f"https://{HOST}:{server.port}/", iter([[inside]]))

    assert server.asked == []


def test_one_inside_address_among_public_ones_refuses_all(kind: str) -> None:
    """Else the second try, after the first timed out, goes inside."""
    with serving(saying(body(b"secret"))) as server:
        rules = Rules(hosts=(f"{HOST}:{server.port}",))

        with pytest.raises(StoreError, match="no address"):
            fetch(kind, rules, f"https://{HOST}:{server.port}/", iter([["8.8.8.8", "127.0.0.1"]]))

    assert server.asked == []


def test_rebinding_finds_no_second_look_up(kind: str) -> None:
    """First a permitted address, then the inside one: the connection goes to what was judged.

    The permitted address is 127.0.0.2, where nobody listens; the server on 127.0.0.1 would be reached if the
    name were looked up again.
    """
    with serving(saying(body(b"secret"))) as server:
        rules = Rules(hosts=(f"{HOST}:{server.port}",), private=("127.0.0.2/32",))
        answers = iter([["127.0.0.2"], ["127.0.0.1"]])

        with pytest.raises(StoreError, match="could not be fetched"):
            fetch(kind, rules, f"https://{HOST}:{server.port}/", answers)

    assert server.asked == []
    assert next(answers) == ["127.0.0.1"], "the second answer was never asked for"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["http://169.254.169.254/latest/", "https://keys.example.com/", "file:///etc/passwd"])
def test_a_redirect_is_not_followed(kind: str, status: int, where: str) -> None:
    """Not even to the same host: what was asked for is what is wanted."""
    answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(saying(answer)) as server:
        rules = Rules(hosts=(f"{HOST}:{server.port}",), private=("127.0.0.0/8",))

        with pytest.raises(StoreError, match="redirects are not followed"):
            fetch(kind, rules, f"https://{HOST}:{server.port}/", iter([["127.0.0.1"]]))

    assert len(server.asked) == 1


def test_a_host_that_is_not_listed_is_not_even_looked_up(kind: str) -> None:
    """A look-up alone tells the attacker's name server something."""
    answers = iter([["8.8.8.8"]])

    with pytest.raises(StoreError, match="not on the list"):
        fetch(kind, Rules(hosts=(HOST,)), "https://leak.evil.example/", answers)

    assert next(answers) == ["8.8.8.8"]
