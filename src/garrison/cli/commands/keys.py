"""`garrison keys`: make, list, rotate and end API keys."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from garrison.cli.options import POLICY, Json, PolicyFile, commands, split
from garrison.cli.screen import counted, instant, note, printable, rows, say, show

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from garrison.credentials.key_order import NewKey
    from garrison.credentials.key_record import KeyRecord
    from garrison.credentials.key_service import By, Issued, KeyService
    from garrison.credentials.key_view import KeyView
    from garrison.model.http.refusal import Refusal
    from garrison.runtime.runtime import Runtime

__all__ = [
    "app",
    "create",
    "drop_old",
    "import_keys",
    "list_keys",
    "quarantine",
    "release",
    "revoke",
    "rotate",
    "show_key",
]

T = TypeVar("T")

app = commands()

_KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, or the whole text of a key that leaked.")]
_Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; for the journal.")]
_Many = list[str] | None
_Owner = Annotated[str, typer.Option("--owner", metavar="USER", help="User whose key it is. [default: the key itself]")]

_PAGE = 100


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    scopes: Annotated[_Many, typer.Option("--scopes", metavar="SCOPES", help="Rights, with commas between.")] = None,
    kind: Annotated[str, typer.Option(metavar="sk|pk|rk", help="Secret, publishable, restricted.")] = "sk",
    expires: Annotated[str, typer.Option(metavar="DURATION", help="How long it lives, such as 90d.")] = "",
    network: Annotated[_Many, typer.Option(metavar="CIDR", help="A network it may come from.")] = None,
    route: Annotated[_Many, typer.Option(metavar="ROUTE", help="A route it is for, such as 'GET /notes'.")] = None,
    origin: Annotated[_Many, typer.Option(metavar="ORIGIN", help="An origin whose pages may use it.")] = None,
    limit: Annotated[_Many, typer.Option(metavar="LIMIT", help="A limit of its own: '1000/h per key'.")] = None,
    uses: Annotated[int | None, typer.Option(metavar="N", help="How often it may be used in all.")] = None,
    owner: _Owner = "",
    canary: Annotated[bool, typer.Option("--canary", help="Issued to be stolen: its use is an alarm.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also take rights that only the application asks for, and routes to come.")
    ] = False,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Make a key. Its text is printed this once and cannot be shown again.

    Standard output gets the key alone, so that KEY=$(garrison keys create NAME) holds it. A right or a route that the
    policy names nowhere is refused: it is misspelled, or known to the application alone (--force).
    """
    from garrison.credentials.key_order import NewKey, mistakes

    order = NewKey(
        name=name,
        kind=kind,  # type: ignore[arg-type]  # the service checks every field and tells all mistakes
        scopes=split(scopes),
        expires_in=expires,
        networks=split(network),
        routes=tuple(route or ()),
        origins=split(origin),
        limits=tuple(limit or ()),
        uses=uses,
    )
    with _work(policy, json=json) as work:
        whose = work.owner(owner) if owner else None
        if not force and not mistakes(order):
            work.judged(_named(work, order))
        issued = work.done(work.keys.create(order, work.by, whose, canary=canary))
        work.wait_until_heard()
        _tell_issued(issued, json=json)


@app.command("list")
def list_keys(
    owner: Annotated[str, typer.Option("--owner", metavar="USER", help="Only keys of this user.")] = "",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """List keys: of everybody, or of one user."""
    with _work(policy, json=json) as work:
        found = _all(work, work.owner(owner).id if owner else "")
    if json:
        show([_written(key) for key in found])
        return
    columns = ("id", "name", "kind", "status", "owner", "scopes", "created", "expires")
    rows(columns, [_row(key) for key in found])


@app.command("show")
def show_key(key: _KeyId, policy: PolicyFile = POLICY, json: Json = False) -> None:
    """Show a key: what it may, where from, and whether its old secrets are still in use."""
    with _work(policy, json=json) as work:
        found = work.done(work.keys.show(work.id(key), work.by))
    if json:
        show(_written(found))
        return
    for name, text in _told(found):
        say(f"{name:<12}{printable(text)}")


@app.command()
def rotate(
    key: _KeyId,
    overlap: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the old secret works on. [default: the policy's]")
    ] = "",
    now: Annotated[bool, typer.Option("--now", help="End every old secret at once.")] = False,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Give a key a new secret; the old one works on for a while, so that nobody is cut off."""
    from garrison.model.units import duration

    lasting = 0 if now else duration(overlap) if overlap else None
    with _work(policy, json=json) as work:
        issued = work.done(work.keys.rotate(work.id(key), work.by, lasting))
        work.wait_until_heard()
        _tell_issued(issued, json=json)


@app.command("drop-old")
def drop_old(
    key: _KeyId,
    secret: Annotated[str, typer.Option(metavar="ID", help="The one to end. [default: all but the newest]")] = "",
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """End the old secrets of a key before their time; `keys show` tells whether one is safe to drop."""
    _change(policy, key, lambda work, id: work.keys.drop_old(id, work.by, secret), "old secrets ended", json=json)


@app.command()
def revoke(key: _KeyId, reason: _Reason = "", policy: PolicyFile = POLICY, json: Json = False) -> None:
    """End a key; within a second no process takes it any more. One that cannot be read is removed."""
    from garrison.model.http.refusal import Refusal

    with _work(policy, json=json) as work:
        id = work.id(key)
        done = work.drive(work.keys.revoke(id, work.by, reason))
        if isinstance(done, Refusal) and done.code == "key_unreadable":
            why = work.done(work.keys.remove(id, work.by, reason))
            _tell_removed(id, why, json=json)
        else:
            _tell_changed(work, work.judged(done), "revoked", json=json)


@app.command()
def quarantine(
    key: _KeyId,
    reason: _Reason = "",
    known: Annotated[_Many, typer.Option(metavar="CIDR", help="A network from which it works as before.")] = None,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Let a key only read until somebody has looked at it."""
    networks = split(known)
    _change(
        policy, key, lambda work, id: work.keys.quarantine(id, work.by, reason, networks), "in quarantine", json=json
    )


@app.command()
def release(key: _KeyId, reason: _Reason = "", policy: PolicyFile = POLICY, json: Json = False) -> None:
    """End the quarantine of a key."""
    _change(policy, key, lambda work, id: work.keys.release(id, work.by, reason), "active again", json=json)


@app.command("import")
def import_keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help='A line a key: {"hash": …, "name": …, "scopes": […]}.')],
    scheme: Annotated[
        str, typer.Option(metavar="SCHEME", help="How they are hashed: sha256, sha512, hmac-sha256:LABEL.")
    ] = "sha256",
    secret: Annotated[Path | None, typer.Option(metavar="FILE", help="The other system's HMAC key.")] = None,
    policy: PolicyFile = POLICY,
    json: Json = False,
) -> None:
    """Take over keys of another system by their hashes; whoever holds them goes on using them."""
    import msgspec

    from garrison.cli.foreign import batches, foreign_keys, secret_of, with_lines
    from garrison.model.http.refusal import Refusal

    imported: list[str] = []
    with _work(policy, json=json) as work:
        for first, part in batches(foreign_keys(file, work.owner)):
            done = work.drive(work.keys.import_hashes(part, work.by, scheme, secret_of(secret)))
            if isinstance(done, Refusal):
                if imported:
                    note(f"{counted(len(imported), 'key')} taken over before it")
                errors = with_lines(done.members.get("errors", []), first)
                done = msgspec.structs.replace(done, members={**done.members, "errors": errors})
            imported += [record.id for record in work.judged(done)]
    if json:
        show({"imported": imported})
    else:
        say(f"{counted(len(imported), 'key')} taken over")


class _Work(NamedTuple):
    """What every command about keys needs."""

    runtime: Runtime
    keys: KeyService
    by: By
    json: bool

    def done(self, doing: Coroutine[Any, Any, T | Refusal]) -> T:
        """Do it; a refusal is told and ends the command."""
        return self.judged(self.drive(doing))

    def wait_until_heard(self) -> None:
        """Wait until a running server has heard of what was done."""
        from garrison.cli.workspace import wait_until_heard

        wait_until_heard(self.runtime)

    def drive(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do it."""
        from garrison.guard.drive import drive

        return drive(doing)

    def judged(self, result: T | Refusal) -> T:
        """Give a result; a refusal is told and ends the command."""
        from garrison.cli.workspace import refused
        from garrison.model.http.refusal import Refusal

        if isinstance(result, Refusal):
            raise refused(result, json=self.json)
        return result

    def owner(self, name: str) -> Any:
        """Give the principal of a user's name or address."""
        from garrison.cli.people import find_user

        return find_user(self.runtime, name)

    def id(self, text: str) -> str:
        """Read a key's id, also out of `key:ID` and out of the whole text of a key."""
        from garrison.credentials.key_format import KeyFormat, key_of

        inside = KeyFormat(self.runtime.policy.keys.brand).inside(text.encode())
        return key_of(inside or text.removeprefix("key:"))


@contextmanager
def _work(policy: Path, *, json: bool) -> Iterator[_Work]:
    from garrison.cli.workspace import opened
    from garrison.credentials.key_service import OPERATOR, By

    with opened(policy) as runtime:
        yield _Work(runtime, runtime.driven_side.keys, By(OPERATOR, runtime.clock.wall()), json)


def _change(
    policy: Path,
    key: str,
    edit: Callable[[_Work, str], Coroutine[Any, Any, KeyRecord | Refusal]],
    done: str,
    *,
    json: bool,
) -> None:
    with _work(policy, json=json) as work:
        _tell_changed(work, work.done(edit(work, work.id(key))), done, json=json)


def _tell_changed(work: _Work, record: KeyRecord, done: str, *, json: bool) -> None:
    if json:
        show(_written(work.done(work.keys.show(record.id, work.by))))
    else:
        say(f"{record.id} ({printable(record.name)}): {done}")


def _tell_removed(id: str, why: str, *, json: bool) -> None:
    if json:
        show({"id": id, "status": "removed", "reason": why})
    else:
        say(f"{id}: could not be read ({why}), and is removed")


def _named(work: _Work, order: NewKey) -> Refusal | None:
    from garrison.credentials.key_order import unnamed
    from garrison.model.http.refusal import invalid

    plans = work.runtime.driven.force.plans
    found = unnamed(order, work.runtime.policy, {plan.route: plan.scopes for plan in plans.listed})
    return invalid(found) if found else None


def _tell_issued(issued: Issued, *, json: bool) -> None:
    record = issued.record
    if json:
        from garrison.model.units import instant_text

        ends = instant_text(record.expires) if record.expires else None
        show({"id": record.id, "key": issued.text, "name": record.name, "expires": ends})
        return
    note(f"{record.id} ({printable(record.name)}): keep this key now, it is shown this once")
    say(issued.text)


def _all(work: _Work, owner: str) -> list[KeyView]:
    found: list[KeyView] = []
    while page := work.done(work.keys.list(work.by, owner, found[-1].id if found else "", _PAGE)):
        found += page
    return found


def _written(key: KeyView) -> dict[str, Any]:
    from garrison.credentials.key_view import told

    return told(key)


def _row(key: KeyView) -> tuple[str, ...]:
    own = key.owner == f"service:{key.id}"
    owner = "itself" if own else key.owner
    return (
        key.id,
        key.name,
        key.kind,
        f"unreadable ({key.reason})" if key.status == "unreadable" else key.status,
        owner,
        " ".join(key.scopes),
        instant(key.created),
        instant(key.expires),
    )


def _told(key: KeyView) -> Iterator[tuple[str, str]]:
    """Say everything that is known of a key, a line each; what is empty is left out."""
    fields = {
        "id": key.id,
        "name": key.name,
        "kind": key.kind,
        "status": key.status + (f" ({key.reason})" if key.reason else ""),
        "owner": key.owner,
        "scopes": " ".join(key.scopes),
        "networks": " ".join(key.networks),
        "routes": ", ".join(key.routes),
        "origins": " ".join(key.origins),
        "limits": ", ".join(key.limits),
        "created": instant(key.created),
        "expires": instant(key.expires) or "never",
        "uses left": "" if key.uses_left is None else str(key.uses_left),
    }
    yield from ((name, text) for name, text in fields.items() if text)
    for secret in key.secrets:
        ends = f", ends {instant(secret.expires)}" if secret.expires else ""
        used = f"used {secret.uses} times, last {instant(secret.last_used)}" if secret.last_used else "never used"
        yield "secret", f"{secret.id}: {secret.told}, {used}{ends}"
