"""`garrison serve`: an application behind the guard."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, Json, commands
from garrison.cli.program import FAULT
from garrison.cli.screen import counted, line, note, place, printable, say
from garrison.errors import GarrisonError, UsageError

if TYPE_CHECKING:
    from garrison.cli.serving.guarded import Guarded
    from garrison.runtime.runtime import Runtime

__all__ = ["app", "serve"]

app = commands()

_Given = Annotated[
    Path | None, typer.Option("--policy", "-p", metavar="FILE", help="The policy. [default: garrison.toml]")
]


@app.command()
def serve(
    application: Annotated[str, typer.Argument(metavar="MODULE:APP", help="ASGI or WSGI, with or without a guard.")],
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, metavar="PORT", help="Port to listen on; 0: any free one.")
    ] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Processes that serve, on one port.")] = 1,
    policy: _Given = None,
    json: Json = False,
) -> None:
    """Serve an application behind the guard.

    An application that puts up its own guard keeps it; any other is guarded by the policy. Ctrl-C ends the server
    in good order; SIGHUP makes it read the policy again, which it also does by itself when the file changes.
    """
    from garrison.cli.application import load_app
    from garrison.cli.serving.guarded import guarded
    from garrison.cli.serving.server import Lifetime, listen
    from garrison.cli.serving.server import serve as run
    from garrison.cli.serving.wire import wire
    from garrison.cli.serving.workers import check_workers, supervise
    from garrison.model.units import SECOND, duration, size

    _configure_logging()
    found = guarded(load_app(application), policy or POLICY)
    runtime = found.runtime
    try:
        _check_policy(found, policy)
        check_workers(runtime.policy, workers)
        alone = workers == 1
        with listen(host, port, shared=not alone, taking=alone) as kept:
            taken = kept.getsockname()[1]
            base = _base(host, taken)

            def work(number: int) -> None:
                runtime.start()
                # What the first start makes is made once the server is up: it is shown once, and must not be lost.
                ready = _nothing if number else partial(_greet, runtime, base, json=json)
                policy = runtime.policy
                drain = duration(policy.operations.drain) / SECOND
                lifetime = Lifetime(ready, partial(_reload, runtime), drain, partial(_draining, runtime))
                with kept.dup() if alone else listen(host, taken, shared=True) as listener:
                    run(found.app, listener, wire(runtime), message=size(policy.caps.message), lifetime=lifetime)
                runtime.close()

            if alone:
                work(0)
            elif not supervise(workers, work):
                raise typer.Exit(FAULT)
    finally:
        runtime.close()
    if not json:
        say("stopped")


def _draining(runtime: Runtime) -> bool:
    """Tell load balancers that the process ends; says whether this is news."""
    news = not runtime.draining
    runtime.draining = True
    return news


def _nothing() -> None:
    """Greet nobody: the first worker does."""


def _configure_logging() -> None:
    """Send warnings and faults to standard error, unless the application wants it otherwise."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("garrison").setLevel(logging.INFO)
    # It warns of every request that cannot be read; the journal holds those, and no flood of them fills it.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _check_policy(found: Guarded, policy: Path | None) -> None:
    """Refuse a policy that would be ignored: somebody would believe that it holds."""
    own = found.runtime.path
    if found.own and policy is not None and (own is None or own.resolve() != policy.resolve()):
        named = f"the policy {own}" if own is not None else "a policy written in Python"
        msg = f"the application has put up its own guard, with {named}; leave --policy out"
        raise UsageError(msg)


def _base(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  # compared, not bound
    return f"http://{shown}:{port}"


def _greet(runtime: Runtime, base: str, *, json: bool) -> None:
    """Say where the service is, and what the first start has made; as JSON, all of it on one line."""
    from garrison.cli.serving.welcome import as_json, docs_page, greet, welcome

    greeting = welcome(runtime, base)
    policy, docs = runtime.policy, docs_page(runtime.policy)
    if json:
        where = {"url": base, "docs": base + docs if docs else "", "policy": str(runtime.path or "")}
        line({"service": policy.service, "environment": policy.environment, **where, **as_json(greeting)})
    else:
        greet(greeting)
        say(f"{policy.service} ({policy.environment}) is served on {base}, Ctrl-C stops it")
        say(f"  policy  {place(runtime.path) if runtime.path else 'written in Python'}")
        if docs:
            say(f"  docs    {base}{docs}")
    sys.stdout.flush()


def _reload(runtime: Runtime) -> None:
    """Put the changed policy in force; when it is wrong, say why and keep the old one."""
    try:
        changes = runtime.reload()
    except (GarrisonError, OSError) as error:
        note(f"garrison: the changed policy is refused, the old one stays in force: {printable(error)}")
        return
    note(f"garrison: the policy was read again, {counted(len(changes), 'change')}")
