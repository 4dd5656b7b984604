"""Work on what a policy's stores hold, beside a server that may be running: opened, used without a loop, closed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from garrison.cli.policy_file import read_policy
from garrison.cli.screen import note, printable, show
from garrison.errors import UsageError
from garrison.runtime.compose import compose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from garrison.accounts.service import Service
    from garrison.model.http.refusal import Refusal
    from garrison.runtime.runtime import Runtime

__all__ = ["REFUSED", "accounts_of", "opened", "refused", "wait_until_heard"]

REFUSED = 1
"""Exit status when what was asked for cannot be done: no such key, a name that is taken."""

_WORDS = {
    "key_unknown": "there is no key of this id",
    "key_dead": "the key has ended, so it cannot be changed",
    "key_environment": "the key belongs to another environment",
    "key_secrets_full": "the key has three living secrets; drop an old one first: garrison keys drop-old ID",
    "key_secret_unknown": "there is no old secret to drop",
    "key_known": "one of these keys is here already",
    "key_too_many": "the owner has as many keys as the policy allows (keys.most_per_owner)",
    "key_row_forged": "the stored key was changed behind Garrison's back; its seal does not fit",
    "key_row_unreadable": "the stored key is damaged, or was written by another release",
    "key_overtaken": "others keep changing this key; try again",
    "key_not_active": "only an active key can be put in quarantine",
    "key_not_quarantined": "the key is not in quarantine",
    "account_unknown": "there is no such user",
    "account_overtaken": "others keep changing this user; try again",
    "unique:name_key": "there is a user of this name",
    "unique:email_key": "there is a user with this address",
}
"""Reasons of refusals in words; the public text of a refusal is for strangers and says less."""


@contextmanager
def opened(policy: Path) -> Iterator[Runtime]:
    """Open what the policy's stores hold.

    Raises:
        UsageError: Nothing is kept beyond a process, so there is nothing to open.
        PolicyError: The policy is wrong; carries every problem.
        SecretError: A secret it refers to is missing, weak or readable by others.
        StoreError: A store could not be opened.
    """
    if read_policy(policy).stores.records == "memory:":
        msg = (
            f"{policy} keeps records in memory, so only the serving process has them; "
            'write records = "sqlite:var/garrison.db" under [stores]'
        )
        raise UsageError(msg)
    runtime = compose(policy)
    try:
        yield runtime
    finally:
        runtime.close()


def wait_until_heard(runtime: Runtime) -> None:
    """Wait for as long as a running server may take to hear of a new key: what is printed works at once."""
    from time import sleep

    from garrison.guard.drive import drive
    from garrison.runtime.process.workers import WORKERS
    from garrison.stores.news import POLL

    if drive(runtime.driven_side.face.find(WORKERS, "", "")):
        # One poll, and the tick of the thread that polls.
        sleep((POLL + 100_000) / 1_000_000)


def accounts_of(runtime: Runtime) -> Service:
    """Give the accounts of a runtime.

    Raises:
        UsageError: The policy has none.
    """
    if runtime.driven_side.accounts is None:
        msg = "the policy has no accounts; write [accounts] to have users here"
        raise UsageError(msg)
    return runtime.driven_side.accounts


def refused(refusal: Refusal, *, json: bool) -> typer.Exit:
    """Tell why something was not done, each bad field a line; raise what this gives."""
    text = _WORDS.get(refusal.reason, refusal.detail)
    errors = refusal.members.get("errors", [])
    if json:
        show({"error": {"code": refusal.code, "reason": refusal.reason, "text": text, "problems": errors}})
    else:
        for error in errors:
            note(f"garrison: {printable(error['path'])}: {printable(error['text'])}")
        if not errors:
            note(f"garrison: {printable(text)}")
    return typer.Exit(REFUSED)
