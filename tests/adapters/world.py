"""A policy at work in memory, and keys for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.guard.drive import drive
from garrison.model.clock import Clock
from garrison.model.principal import Principal
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose

__all__ = ["at_work", "key_of", "revoke"]


@contextmanager
def at_work(
    policy: str | Path, clock: Clock | None = None, authenticate: Callable[..., object] | None = None
) -> Iterator[Runtime]:
    """Put a policy to work in development, for as long as the block lasts."""
    source = policy if isinstance(policy, Path) else load(policy, "development")
    runtime = compose(source, clock=clock, authenticate=authenticate)  # type: ignore[arg-type]  # any function will do
    try:
        yield runtime
    finally:
        runtime.close()


def key_of(runtime: Runtime, name: str, *scopes: str) -> tuple[str, str]:
    """Make a key of somebody, as a header field."""
    order = NewKey(name=name, scopes=scopes)
    owner = Principal(subject=name, scopes=frozenset(scopes))
    issued = drive(runtime.driven_side.keys.create(order, By(OPERATOR, runtime.clock.wall()), owner))
    assert isinstance(issued, Issued), issued
    return ("x-api-key", issued.text)


def revoke(runtime: Runtime, key: tuple[str, str]) -> None:
    """End a key by its text."""
    id = key[1].split("_")[3][:10]
    drive(runtime.driven_side.keys.revoke(id, By(OPERATOR, runtime.clock.wall())))
