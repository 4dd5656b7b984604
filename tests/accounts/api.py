"""The whole way of a request, guard and all, without a network: for attacks on accounts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from garrison.guard.drive import drive
from garrison.guard.guard import Guard
from garrison.model.http.request import Header, Request
from garrison.policy.schema import Accounts, Cors, Defaults, Policy, Route, Stores
from garrison.runtime.compose import Runtime, compose
from garrison.testing.clock import ManualClock
from tests.accounts.world import HERE, PASSWORD

__all__ = ["JSON", "ORIGIN", "Api", "Reply", "sqlite"]

JSON = (b"content-type", b"application/json")
ORIGIN = "https://app.example.com"


class Reply:
    """What came back."""

    def __init__(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        self.status = status
        self.headers = tuple(headers)
        self.body = body
        self.json: Any = msgspec.json.decode(body) if body else None
        self.cookies = [value.split(b";")[0] for name, value in self.headers if name == b"set-cookie"]

    @property
    def code(self) -> str:
        return str(self.json["code"])

    @property
    def seen(self) -> tuple[Any, ...]:
        """Everything a caller sees but the correlation id, which differs by design."""
        body = {**self.json}
        length = len(self.body) - len(body.pop("correlation", ""))
        return (self.status, self.headers, length, body)


class Api:
    """A guarded service with accounts, in development, over a store of its own or a given one."""

    def __init__(self, stores: str = "memory:", clock: ManualClock | None = None, **accounts: Any) -> None:
        self.clock = clock or ManualClock()
        self.runtime: Runtime = compose(
            Policy(
                service="tasks",
                environment="development",
                stores=Stores(records=stores),
                accounts=Accounts(**{"scopes": ("tasks:read", "tasks:write"), **accounts}),
                cors={"web": Cors(origins=(ORIGIN,), credentials=True)},
                defaults=Defaults(credentials=("key", "jwt"), cors="web"),
                routes={"GET /tasks": Route(scopes=("tasks:read",))},
            ),
            clock=self.clock,
        )

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *headers: Header,
        peer: str = HERE,
        token: str = "",
        kind: Header | None = JSON,
    ) -> Reply:
        """Send one request; a body that is no bytes goes as JSON."""
        request, raw = _request(method, path, body, headers, peer, token, kind)
        return drive(_judged(self.runtime.driven, request, raw))

    async def sending(self, method: str, path: str, body: Any, peer: str = HERE) -> Reply:
        """Send one request as a task in a loop, over the side that awaits."""
        request, raw = _request(method, path, body, (), peer, "", JSON)
        return await _judged(self.runtime.awaited, request, raw)

    def register(self, name: str = "ada", *headers: Header, peer: str = HERE, **more: Any) -> Reply:
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, **more}
        return self.send("POST", "/auth/register", body, *headers, peer=peer)

    def login(self, login: Any = "ada", password: Any = PASSWORD, *headers: Header, peer: str = HERE) -> Reply:
        return self.send("POST", "/auth/login", {"login": login, "password": password}, *headers, peer=peer)

    def passes(self, token: str) -> bool:
        """Tell whether a token opens a route of the application."""
        return self.send("GET", "/tasks", token=token).status == 200

    def poll(self) -> None:
        """Let the process hear the news, as its job does every 0.4 s."""
        drive(self.runtime.news.poll(self.runtime.driven_side.face, self.clock.wall(), self.clock.monotonic()))


def _request(
    method: str, path: str, body: Any, headers: Iterable[Header], peer: str, token: str, kind: Header | None
) -> tuple[Request, bytes]:
    raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    lines = [(b"host", b"localhost"), *headers]
    lines += [(b"content-length", str(len(raw)).encode())] if raw else []
    lines += [kind] if raw and kind else []
    lines += [(b"authorization", f"Bearer {token}".encode())] if token else []
    path, _, query = path.partition("?")
    return Request(method, path, lines, raw_path=path.encode(), query=query.encode(), scheme="http", peer=peer), raw


async def _judged(guard: Guard, request: Request, raw: bytes) -> Reply:
    decision = await guard.decide(request)
    if decision.answer is None and guard.judges_body(request, decision):
        await guard.take_body(request, decision, raw)
    answer = decision.answer
    return Reply(200, (), b"") if answer is None else Reply(answer.status, answer.headers, answer.body)


def sqlite(folder: Path) -> str:
    """Name a store that outlives its process."""
    return f"sqlite:{folder / 'records.db'}"
