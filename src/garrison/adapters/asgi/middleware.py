"""The guard as ASGI middleware: translate a request in, a decision out.

Stands outermost, outside the framework's own error handler, so that every answer carries its headers: 500s and
404s too. Works as `Garrison(app, policy=…)` and as `app.add_middleware(Garrison, policy=…)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.adapters.asgi.body import Bounded, Gone, bodiless, read_body, replay
from garrison.adapters.asgi.connections import Connections
from garrison.adapters.asgi.exchange import Exchange
from garrison.adapters.asgi.gate import Gate
from garrison.adapters.asgi.identity import identify
from garrison.adapters.asgi.lifespan import live
from garrison.adapters.asgi.request import ScopeRequest
from garrison.adapters.asgi.sockets import Socket, serve_socket
from garrison.adapters.refused import RefusedError
from garrison.errors import OwnershipError
from garrison.guard.content import has_body
from garrison.guard.shedding import overloaded, rank, turn
from garrison.model.http.refusal import refuse
from garrison.runtime.compose import compose

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.adapters.asgi.body import Receive, Scope, Send
    from garrison.adapters.asgi.identity import App
    from garrison.credentials.authenticate import Authenticate
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime

__all__ = ["Garrison"]


class Garrison:
    """Guards an ASGI application by a policy."""

    def __init__(
        self,
        app: App,
        policy: Policy | Path | str = "garrison.toml",
        *,
        authenticate: Authenticate | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Compile the policy and open its stores.

        Args:
            app: The application to guard.
            policy: A policy, or the path of one.
            authenticate: The application's own `authenticate(request) -> Principal | None`, tried when no key
                and no token is presented.
            runtime: A runtime composed elsewhere, instead of one for this policy.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
        """
        self.app = app
        self.runtime = runtime or compose(policy, authenticate=authenticate)
        self.guard = self.runtime.awaited
        self._connections = Connections(self.guard)
        self._gate = Gate(lambda: self.guard.force, self._busy)
        self._application: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        if scope.get("app") is not self._application or not self.runtime.serving:
            self.begin(scope.get("app"))
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        request = ScopeRequest(scope)
        decision = await self.guard.decide(request)
        exchange = Exchange(request, decision, send, self.guard, self._connections)
        try:
            within: Receive | None = receive
            fields = request.fields
            told = b"content-length" in fields or b"transfer-encoding" in fields
            may_have = told or scope.get("http_version", "1.1") > "1.1"
            if decision.answer is not None:
                within = None
            elif may_have or decision.plan.endpoint is not None:
                exchange.closes = scope.get("http_version", "1.1") < "2"
                within = await self._within(exchange, receive)
            if within is not None and (self._gate.enter(exchange) or await self._let_in(exchange)):
                identify(scope, request, decision)
                await self.app(scope, within, exchange.send)
            elif decision.answer is not None:
                await exchange.answer(decision.answer)
        except Exception as error:
            if not await _settled(exchange, error):
                raise
        finally:
            exchange.end()
            if decision.holds:
                await self.guard.release(decision)

    def begin(self, application: Any) -> None:
        """Serve from now on in this process, for the framework's application that the scope names, if any."""
        self._application = application
        self.runtime.start()

    def _busy(self, load: float) -> None:
        self.guard.load = load

    async def _let_in(self, exchange: Exchange) -> bool:
        """Wait for room to work on a request; without any it is turned away."""
        decision = exchange.decision
        standing = turn(decision, self.runtime.clock.wall())
        if await self._gate.wait(exchange, rank(decision), standing):
            return True
        return not self.guard.turns_away(exchange.request, decision, overloaded(decision, standing))

    async def _within(self, exchange: Exchange, receive: Receive) -> Receive | None:
        """Hold the body to its caps; None: it was answered, or the caller went away before it was read."""
        request, decision = exchange.request, exchange.decision
        plan = decision.plan
        if plan.endpoint is None and not has_body(request):
            return bodiless(receive)
        if self.guard.refuses_body(request, decision):
            return None
        if not self.guard.judges_body(request, decision):
            return Bounded(receive, plan.max_body, decision.force)
        body = await read_body(receive, plan.max_body, decision.force) if has_body(request) else b""
        if type(body) is Gone:
            return None
        if plan.endpoint is None or self._gate.enter(exchange) or await self._let_in(exchange):
            await self.guard.take_body(request, decision, body)
        return replay(body, receive) if type(body) is bytes and decision.answer is None else None

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "websocket":
            await self._socket(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            msg = f"a connection of type {kind!r} cannot be guarded, so it is refused"
            raise RuntimeError(msg)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ScopeRequest(scope)
        decision = await self.guard.decide(request)
        try:
            socket = Socket(request, decision, receive, send, self.guard)
            await serve_socket(self.app, scope, socket, self._connections)
        finally:
            await self.guard.release(decision)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have started before the application does, and close after it has."""
        try:
            await live(self.app, scope, receive, send)
        finally:
            self._gate.close()
            self.runtime.stop()


async def _settled(exchange: Exchange, error: Exception) -> bool:
    """Answer what the application raised, if nothing was sent yet; False: a fault, for whoever logs it."""
    if isinstance(error, OwnershipError):
        await exchange.refuse(refuse("not_found", "not_owner"))
    elif isinstance(error, RefusedError):
        await exchange.refuse(error.refusal)
    else:
        await exchange.refuse(refuse("internal_error", "unhandled"))
        return False
    return True
