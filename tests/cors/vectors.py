"""The published CORS vectors: the applications they call, a browser, and the judgement of an answer.

Another file can be named by `GARRISON_CORS_VECTORS`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

from garrison.cors import CorsMiddleware, CorsPolicy, CorsWSGI

FILE = Path(os.environ.get("GARRISON_CORS_VECTORS") or Path(__file__).parent.parent / "vectors" / "cors.json")
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TRIES = 5

Pair = tuple[str, str]


class Answer(NamedTuple):
    """What came back, field names in lower case, text as latin-1."""

    status: int
    headers: tuple[Pair, ...]
    body: bytes
    handler_called: bool

    def lines(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field == name]

    def get(self, name: str) -> str | None:
        """All lines joined, as Fetch reads a field."""
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def members(self, name: str) -> list[str]:
        return [part.strip().lower() for part in (self.get(name) or "").split(",") if part.strip()]


Send = Callable[[Sequence[Pair], str, str], Answer]
"""Sends a request (headers, method, path) and gives the answer."""


# --- the application of the vectors: one table, served over both interfaces ------------------------------------------

_PLAIN: list[Pair] = [("content-type", "text/plain")]
_ANSWERS: dict[str, tuple[int, list[Pair]]] = {
    "/ok": (200, [*_PLAIN, ("x-request-id", "7")]),
    "/opts": (200, [*_PLAIN, ("x-request-id", "7")]),
    "/vary-ae": (200, [*_PLAIN, ("vary", "Accept-Encoding")]),
    "/vary-origin": (200, [*_PLAIN, ("vary", "origin")]),
    "/vary-star": (200, [*_PLAIN, ("vary", "*")]),
    "/own-acao": (200, [*_PLAIN, ("access-control-allow-origin", "*")]),
    "/limited": (429, [*_PLAIN, ("retry-after", "30")]),
    "/moved": (308, [("location", "/ok")]),
    "/not-modified": (304, [("etag", '"1"')]),
    "/get-only": (200, _PLAIN),
}
_REASONS = {200: "OK", 304: "Not Modified", 308: "Permanent Redirect", 401: "Unauthorized", 404: "Not Found"}


class BoomError(Exception):
    """What `/boom` raises."""


class _App:
    def __init__(self) -> None:
        self.called = False

    def answer(self, method: str, path: str, authorized: bool) -> tuple[int, list[Pair]]:
        if path == "/get-only" and method != "GET":
            return 405, [("allow", "GET"), *_PLAIN]
        if path not in _ANSWERS and path not in {"/private", "/boom"}:
            return 404, _PLAIN
        self.called = True
        if path == "/boom":
            raise BoomError
        if path == "/private":
            return (200, _PLAIN) if authorized else (401, [("www-authenticate", "Bearer"), *_PLAIN])
        return _ANSWERS[path]

    async def asgi(self, scope: Any, _receive: Any, send: Any) -> None:
        authorized = any(name == b"authorization" for name, _ in scope["headers"])
        status, headers = self.answer(scope["method"], scope["path"], authorized)
        lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": b"" if status == 304 else b"text"})

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status, headers = self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], "HTTP_AUTHORIZATION" in environ)
        start_response(f"{status} {_REASONS.get(status, 'Other')}", list(headers))
        return [b"" if status == 304 else b"text"]


def over_asgi(policy: CorsPolicy) -> Send:
    app = _App()
    guarded = CorsMiddleware(app.asgi, policy)

    def send(headers: Sequence[Pair], method: str, path: str) -> Answer:
        sent: list[Any] = []
        app.called = False
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        scope = {"type": "http", "method": method, "path": path, "scheme": "https", "headers": lines}

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def collect(message: Any) -> None:
            sent.append(message)

        try:
            asyncio.run(guarded(scope, receive, collect))
        except BoomError:
            assert path == "/boom"
        starts = [message for message in sent if message["type"] == "http.response.start"]
        assert len(starts) == 1, "an answer begins exactly once"
        body = b"".join(message.get("body", b"") for message in sent)
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in starts[0]["headers"]]
        return Answer(starts[0]["status"], tuple(pairs), body, app.called)

    return send


def over_wsgi(policy: CorsPolicy) -> Send:
    app = _App()
    guarded = CorsWSGI(app.wsgi, policy)

    def send(headers: Sequence[Pair], method: str, path: str) -> Answer:
        started: list[Any] = []
        app.called = False
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.url_scheme": "https"}
        for name, value in headers:
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value

        def start(status: str, lines: list[Pair], exc_info: Any = None) -> None:
            started.append((status, lines))

        body = b""
        try:
            for chunk in guarded(environ, start):
                body += chunk
        except BoomError:
            assert path == "/boom"
        assert len(started) == 1, "an answer begins exactly once"
        status, lines = started[0]
        return Answer(int(status[:3]), tuple((name.lower(), value) for name, value in lines), body, app.called)

    return send


# --- the browser, after Fetch ----------------------------------------------------------------------------------------


def _cors_check(answer: Answer, origin: str, mode: str) -> bool:
    allowed = answer.get("access-control-allow-origin")
    if allowed is None:
        return False
    if mode != "include" and allowed == "*":
        return True
    return allowed == origin and (mode != "include" or answer.get("access-control-allow-credentials") == "true")


def _list(answer: Answer, name: str) -> list[str] | None:
    """A list of tokens; None: it does not parse."""
    value = answer.get(name)
    if value is None:
        return []
    parts = [part.strip(" \t") for part in value.split(",")]
    return parts if all(_TOKEN.fullmatch(part) for part in parts if part) else None


def browser_allows(answer: Answer, request: dict[str, Any], mode: str) -> bool:
    headers = [(name.lower(), value) for name, value in request["headers"]]
    origin = next((value for name, value in headers if name == "origin"), "")
    method = next((value for name, value in headers if name == "access-control-request-method"), None)
    if request["method"] != "OPTIONS" or method is None:
        return _cors_check(answer, origin, mode)
    methods, names = _list(answer, "access-control-allow-methods"), _list(answer, "access-control-allow-headers")
    if not _cors_check(answer, origin, mode) or not 200 <= answer.status < 300 or methods is None or names is None:
        return False
    if method not in {*methods, "GET", "HEAD", "POST"} and (mode == "include" or "*" not in methods):
        return False
    asked = ",".join(value for name, value in headers if name == "access-control-request-headers")
    unsafe = request.get("unsafe_headers")
    if unsafe is None:
        unsafe = [part.strip().lower() for part in asked.split(",") if part.strip()]
    allowed = {name.lower() for name in names}
    if "authorization" in unsafe and "authorization" not in allowed:
        return False
    return all(name in allowed for name in unsafe) or (mode != "include" and "*" in allowed)


# --- the judgement ---------------------------------------------------------------------------------------------------


def policy_of(vector: dict[str, Any]) -> CorsPolicy:
    """Lists become tuples; whatever else the vector holds stays, so that a wrong kind of value is judged too."""
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in vector["policy"].items()
    }
    age = said.get("max_age")
    if isinstance(age, int) and not isinstance(age, bool):
        said["max_age"] = f"{age}s"
    return CorsPolicy(**said)


def failures(expect: dict[str, Any], answer: Answer, request: dict[str, Any], mode: str, spent_ms: float) -> list[str]:
    """Name every expectation that does not hold."""
    lines: dict[str, Callable[[Any], bool]] = {
        "status": lambda wanted: answer.status == wanted,
        "status_in": lambda wanted: answer.status in wanted,
        "status_lt": lambda wanted: answer.status < wanted,
        "headers_present": lambda wanted: all(answer.lines(name) for name in wanted),
        "headers_absent": lambda wanted: not any(answer.lines(name) for name in wanted),
        "header_equals": lambda wanted: all(answer.get(name) == value for name, value in wanted.items()),
        "header_tokens": lambda wanted: all(_has(answer, name, members) for name, members in wanted.items()),
        "header_tokens_absent": lambda wanted: all(
            not {member.lower() for member in members} & set(answer.members(name)) for name, members in wanted.items()
        ),
        "header_token_once": lambda wanted: all(answer.members(name).count(one) == 1 for name, one in wanted.items()),
        "header_count": lambda wanted: all(len(answer.lines(name)) == count for name, count in wanted.items()),
        "header_not_contains": lambda wanted: all(
            text not in (answer.get(name) or "") for name, text in wanted.items()
        ),
        "header_max_len": lambda wanted: all(len(answer.get(name) or "") <= most for name, most in wanted.items()),
        "header_max_int": lambda wanted: all(int(answer.get(name) or 0) <= most for name, most in wanted.items()),
        "header_min_int": lambda wanted: all(int(answer.get(name) or -1) >= least for name, least in wanted.items()),
        "handler_called": lambda wanted: answer.handler_called is wanted,
        "body_empty": lambda wanted: (answer.body == b"") is wanted,
        "max_ms": lambda wanted: spent_ms <= wanted,
        "browser": lambda wanted: browser_allows(answer, request, mode) is (wanted == "allow"),
        "any_of": lambda wanted: any(not failures(one, answer, request, mode, spent_ms) for one in wanted),
        "config_rejected": lambda wanted: wanted == "allowed",
    }
    return [f"{key}={wanted!r}" for key, wanted in expect.items() if not lines[key](wanted)]


def _has(answer: Answer, name: str, members: list[str]) -> bool:
    there = answer.members(name)
    return all(member.lower() in there or (name == "vary" and "*" in there) for member in members)


def may_be_rejected(expect: dict[str, Any]) -> bool:
    if "config_rejected" in expect:
        return bool(expect["config_rejected"])
    return any(may_be_rejected(one) for one in expect.get("any_of", ()))


def exchange(send: Send, request: dict[str, Any]) -> tuple[Answer, float]:
    """Send it; the time is the best of five tries, in milliseconds of this process."""
    headers = [("Host", "api.example.net"), *((name, value) for name, value in request["headers"])]
    best = float("inf")
    for _ in range(_TRIES):
        begun = process_time()
        answer = send(headers, request["method"], request["path"])
        best = min(best, (process_time() - begun) * 1_000)
    return answer, best
