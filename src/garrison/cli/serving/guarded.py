"""Put an application behind the guard, unless it stands there already, and hand it to the server as ASGI.

An application that put up its own guard keeps it: guarded twice, every limit would be spent twice.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.adapters.asgi.middleware import Garrison
from garrison.adapters.wsgi.middleware import GarrisonWSGI
from garrison.cli.serving.bridge import WsgiBridge
from garrison.errors import UsageError
from garrison.runtime.runtime import Runtime

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Guarded", "guarded"]

_DEEPEST = 32
"""Layers of middleware that are looked through."""


class Guarded(NamedTuple):
    """An application as the server takes it, and the runtime of the guard before it."""

    app: Any
    """ASGI."""

    runtime: Runtime
    own: bool
    """Whether the application brought the guard along."""


def guarded(app: Any, policy: Path) -> Guarded:
    """Guard an application by a policy, or find the guard that it has put up itself.

    Args:
        app: An application of FastAPI, Starlette, Flask or Django, or any ASGI or WSGI callable.
        policy: The policy, for an application without a guard.

    Raises:
        UsageError: It is no application at all.
        PolicyError: The policy is wrong; carries every problem.
        SecretError: A secret it refers to is missing, weak or readable by others.
    """
    if not callable(app):
        msg = f"a {type(app).__name__} is no application"
        raise UsageError(msg)
    found = _runtime_of(app)
    if found is not None:
        return Guarded(_served(app, found), found, own=True)
    guard = _wrapped(app, policy)
    return Guarded(_served(app if _is_flask(app) else guard, guard.runtime), guard.runtime, own=False)


def _runtime_of(app: Any) -> Runtime | None:
    """Look for a guard through the layers of an application, the outermost first."""
    for _ in range(_DEEPEST):
        found = getattr(app, "runtime", None)
        if isinstance(found, Runtime):
            return found
        if callable(getattr(app, "build_middleware_stack", None)):
            # Starlette makes its middleware at the first request; the guard must be up before that.
            app.middleware_stack = app.middleware_stack or app.build_middleware_stack()
            app = app.middleware_stack
            continue
        # Flask's own name, everybody's name, and the outermost middleware of Django.
        chain = getattr(getattr(app, "_middleware_chain", None), "__wrapped__", None)
        following = getattr(app, "wsgi_app", None) or getattr(app, "app", None) or chain
        if following is None or following is app:
            return None
        app = following
    return None


def _is_flask(app: Any) -> bool:
    flask = sys.modules.get("flask")
    return flask is not None and isinstance(app, flask.Flask)


def _wrapped(app: Any, policy: Path) -> Garrison | GarrisonWSGI:
    """Guard an application with the adapter of its framework."""
    if _is_flask(app):
        from garrison.adapters.flask import Garrison as FlaskGarrison

        return FlaskGarrison(app, policy)
    if not _is_asgi(app):
        return GarrisonWSGI(app, policy)
    frameworks = {base.__module__.partition(".")[0] for base in type(app).__mro__}
    if "fastapi" in frameworks:
        from garrison.adapters.fastapi import Garrison as FastapiGarrison

        return FastapiGarrison(app, policy)
    if "starlette" in frameworks:
        from garrison.adapters.starlette import Garrison as StarletteGarrison

        return StarletteGarrison(app, policy)
    return Garrison(app, policy)


def _is_asgi(app: Any) -> bool:
    """Tell ASGI from WSGI: it takes three arguments, or it is a coroutine function, at its `__call__` too."""
    if isinstance(app, Garrison):
        return True
    if isinstance(app, GarrisonWSGI) or hasattr(app, "wsgi_app"):
        return False
    call = app if inspect.isfunction(app) or inspect.ismethod(app) else app.__call__
    if inspect.iscoroutinefunction(call):
        return True
    try:
        inspect.signature(call).bind(None, None, None)
    except TypeError:
        return False
    return True


def _served(app: Any, runtime: Runtime) -> Any:
    return app if _is_asgi(app) else WsgiBridge(app, start=runtime.start, close=runtime.close)
