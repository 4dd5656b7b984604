"""The tasks API without its guard: the same application, and a small middleware that says who acts."""

from __future__ import annotations

from typing import Any

from examples.tasks.main import app
from garrison import Principal

__all__ = ["app"]

_ME = Principal(subject="bench", scopes=frozenset({"tasks:read", "tasks:write"}))


class _Fixed:
    """Everybody is the same."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["user"] = _ME
        await self._app(scope, receive, send)


# Nothing of the guard was built yet: Starlette makes its middleware when the first connection comes.
app.user_middleware.clear()
app.add_middleware(_Fixed)
