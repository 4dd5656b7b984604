"""One connection of `garrison serve`: what cannot be read as HTTP is refused like everything else, and recorded.

The guard sees a request once its head is whole and sound; whatever is not must be judged here, where the bytes are.
A refusal must not stand where an earlier request waits for its answer, nor an upgrade; a target must not name another
host than `Host`; a body must not be read as the next request; fields that end a chunked body must not join those that
were judged; and a head must end, and in time.

Sources: RFC 9112 sections 2.3 (version), 3.2.2 (absolute form), 7.1.2 (trailer fields), 9.3.2 (pipelining) and 9.6
(closing); RFC 9110 sections 7.8 (upgrade) and 9.1 (unknown methods); RFC 6455 section 4.2.1 (handshake).
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from httptools import HttpParserInvalidMethodError, HttpParserInvalidURLError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from garrison.cli.serving.waiting import Waiting
from garrison.guard.decision import Decision
from garrison.guard.finish import finish_own
from garrison.guard.respond import problem
from garrison.model.http.refusal import refuse
from garrison.model.http.request import Request
from garrison.model.net import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.runtime.runtime import Runtime

__all__ = ["LONGEST", "Wire", "wire"]

LONGEST = 512 * 1024
"""Bytes of a head, or between two pieces of a body, after which the caller is given up. The policy's caps are far
below; they are held once a head has ended, and an endless one is copied anew with every piece."""

_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64} [!-~]+ HTTP/1\.[01]\r\n")
_HANDSHAKE = {
    b"upgrade": re.compile(rb"websocket", re.IGNORECASE),
    b"sec-websocket-key": re.compile(rb"[A-Za-z0-9+/]{22}=="),
    b"sec-websocket-version": re.compile(rb"13"),
}


class Wire(HttpToolsProtocol):
    """Reads the requests of one connection; use `wire`."""

    runtime: ClassVar[Runtime]
    waiting: ClassVar[Waiting]
    url = b""
    _whose: str | None = None
    """Among whose connections this one is counted."""

    _heading = False
    """Whether a head has begun and has not ended."""

    _unread = 0
    """Bytes since the parser last came to the end of something."""

    _refusal = refuse("request_malformed", "unreadable")
    _ended = False
    """Nothing that comes from now on is anybody's request."""

    _sent = b""
    """What came last, while it may be the beginning of a request."""

    _before: Any = None
    """The request before the newest."""

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless its caller has enough of them."""
        super().connection_made(transport)
        peer, _ = self.client or ("", 0)
        self._whose = self.waiting.enter(peer)
        if self._whose is None:
            self._refusal = refuse("connections_too_many", "connections")
            self.send_400_response("")
        else:
            self.waiting.begin(self, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._left()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; it counts for its caller until it is closed."""
        self._ended = True
        library: Any = self.ws_protocol_class
        self.ws_protocol_class = _counted(library)
        super().handle_websocket_upgrade()
        successor: Any = self.transport.get_protocol()
        successor.left = self._left

    def overdue(self) -> None:
        """End a connection on which no whole head has come in time; whoever was only silent needs no answer."""
        if self._heading:
            self._refusal = refuse("head_too_slow", "deadline")
            self.send_400_response("")
        else:
            self._ended = True
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._ended:
            return
        self._take(data)
        cycle: Any = self.cycle
        idle = self._heading or cycle is None or cycle.response_complete
        # A line end now and then keeps the server's own idle timer from running, and begins no head either.
        if idle and self.transport.get_protocol() is self and not self.transport.is_closing():
            self.waiting.begin(self, self.loop)

    def _take(self, data: bytes) -> None:
        self._sent = b"" if self._unread else data
        self._unread += len(data)
        if self._unread > LONGEST:
            self._refusal = refuse("headers_too_large", "endless")
            self.send_400_response("")
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin with a head."""
        self._heading = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin with a request; fields that come after its body are nobody's."""
        self._unread, self._sent = 0, b""
        self._heading = False
        self.waiting.end(self)
        if not self.url.startswith((b"/", b"*")):
            self.url = self._origin_form()
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise self._malformed("version")
        if self.parser.should_upgrade():
            self._judge_upgrade()
        self._before = self.cycle
        super().on_headers_complete()
        if not self.parser.should_upgrade():
            self.headers = []

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._unread, self._sent = 0, b""
        super().on_body(body)

    def _origin_form(self) -> bytes:
        """Take the authority off a target in absolute form, if `Host` says the same.

        The server must go by the authority, what stands before it may go by `Host`: where they differ, one of the
        two is deceived. Clients send them alike (RFC 9112 section 3.2), so nobody is refused who means well.

        Raises:
            HttpParserInvalidURLError: They differ, or the target has another form.
        """
        found = _ABSOLUTE.fullmatch(self.url)
        hosts = [value.lower() for name, value in self.headers if name == b"host"]
        if found is None or hosts != [found[1].lower()]:
            raise self._malformed("target")
        return found[2] if found[2].startswith(b"/") else b"/" + found[2]

    def _judge_upgrade(self) -> None:
        """Let a request change the protocol only where nothing else can be mistaken for a part of the new one.

        What the library beneath takes no handshake with, it closes without a word.

        The parser skips the body of such a request and would read it as the next one: request smuggling. What is
        said in the new protocol goes out at once, even before an answer that is due.

        Raises:
            HttpParserInvalidURLError: It has a body, or comes out of turn, or is no sound handshake, or too large.
        """
        framed = [value for name, value in self.headers if name in {b"transfer-encoding", b"content-length"}]
        before: Any = self.cycle
        if framed not in ([], [b"0"]) or (before is not None and not before.response_complete):
            raise self._malformed("upgrade")
        if not self._should_upgrade():
            return
        if not self._shakes_hands():
            raise self._malformed("handshake")
        # The library reads the head again: `GET`, the target and the version with two spaces and an end of line.
        if len(self.url) > MAX_LINE_LENGTH - len("GET  HTTP/1.1\r\n"):
            raise self._stopped("target_too_long", "target_too_long")
        longest = max(len(name) + len(value) for name, value in self.headers) + len(": \r\n")
        if len(self.headers) > MAX_NUM_HEADERS or longest > MAX_LINE_LENGTH:
            raise self._stopped("headers_too_large", "headers_too_large")

    def _shakes_hands(self) -> bool:
        """Tell whether a WebSocket is asked for as it must be; the library would answer plain text."""
        if (self.parser.get_method(), self.parser.get_http_version()) != (b"GET", "1.1"):
            return False
        fields = [(name, value) for name, value in self.headers if name in _HANDSHAKE]
        once = sorted(name for name, _ in fields) == sorted(_HANDSHAKE)
        return once and all(_HANDSHAKE[name].fullmatch(value) for name, value in fields)

    def _malformed(self, reason: str) -> HttpParserInvalidURLError:
        return self._stopped("request_malformed", reason)

    def _stopped(self, code: str, reason: str) -> HttpParserInvalidURLError:
        """Give what makes the parser stop, and keep why."""
        self._refusal = refuse(code, reason)
        return HttpParserInvalidURLError()

    def _left(self) -> None:
        self.waiting.end(self)
        if self._whose is not None:
            self.waiting.leave(self._whose)
            self._whose = None

    def _unsupported_upgrade_warning(self) -> None:
        """Answer in the protocol that is spoken, and close: what came behind the head, the parser has dropped."""
        super()._unsupported_upgrade_warning()
        self._ended = True
        self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, and close: where the next request would begin, nobody can tell."""
        self._ended = True
        # The parser stops inside a method that it does not know; of a request that is whole but for that, RFC 9110
        # section 9.1 says 501.
        if isinstance(sys.exc_info()[1], HttpParserInvalidMethodError) and _REQUEST_LINE.match(self._sent):
            self._refusal = refuse("method_unknown", "method_unknown")
        answer = self._refused()
        if self.pipeline and self.cycle.scope is self.scope:
            # Its head was sound and it waits its turn, which must not come: its body is broken.
            self.pipeline.popleft()
            self.cycle = self._before
        cycle: Any = self.cycle
        whose = cycle is not None and cycle.scope is self.scope
        if cycle is not None and not whose and not cycle.response_complete:
            # Earlier requests wait for their answers, and this one would be taken for theirs.
            cycle.keep_alive = False
            return
        if not whose or not cycle.response_started:
            self.transport.write(answer)
        if whose:
            cycle.disconnected = True
        self.transport.close()

    def _refused(self) -> bytes:
        """Record the refusal, and write its answer out."""
        runtime, (peer, _) = self.runtime, self.client or ("", 0)
        # Of the head, nothing but the target is known for certain, and that only to be told; what a query holds may
        # be a secret, and is kept of no request.
        path = self.url.partition(b"?")[0].decode("latin-1")
        request = Request("?", path, (), scheme=self.scheme or "http", peer=peer)
        force = runtime.driven.force
        decision = Decision(force, runtime.correlate(), force.unknown, canonical(peer), refusal=self._refusal)
        runtime.record(request, decision, runtime.clock.wall())
        answer = problem(self._refusal, decision.correlation)
        lines = [*self.server_state.default_headers, *finish_own(decision, request, answer), (b"connection", b"close")]
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        return STATUS_LINE[answer.status] + head + b"\r\n" + answer.body


@cache
def _counted(base: Any) -> type:
    """Make a WebSocket protocol that tells when its connection is lost."""

    class Counted(base):  # type: ignore[misc]  # the library that is installed decides which class
        """Tells it to whoever counts connections."""

        left: Callable[[], None] | None = None

        def connection_lost(self, exc: Exception | None) -> None:
            """Forget a connection."""
            if self.left is not None:
                self.left()
            super().connection_lost(exc)

    return Counted


def wire(runtime: Runtime) -> type[Wire]:
    """Make the protocol class of a server whose guard has this runtime."""
    return type("Wire", (Wire,), {"runtime": runtime, "waiting": Waiting(runtime)})
