"""What changed between two policies, in words, and which of the changes weaken.

The words go to the journal with every live update. A change is called weaker when it lets through what was
refused, or forgets sooner; where that cannot be told from the values, it is called weaker too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from garrison.errors import Problem
from garrison.limits import Limit, parse
from garrison.model.fit import path_text
from garrison.model.http.media import JSON
from garrison.model.units import duration, size
from garrison.policy.file.write import inline
from garrison.policy.schema import laid_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.model.fit import Path
    from garrison.policy.schema import Policy

__all__ = ["Change", "diff", "forbidden_live"]

_AT_START = frozenset(("environment", "service", "workers", "secrets", "stores"))
"""Fields that hold for the life of a process: what is open, sealed, counted and owned hangs on them."""


class Change(NamedTuple):
    """One difference."""

    path: str
    """`routes."GET /notes".scopes`."""

    before: str
    """As TOML; empty: it was not there."""

    after: str
    weaker: bool
    dangerous: bool
    """Whether a `dangerously_` switch is turned on."""

    restart: bool
    """Whether it is refused while serving, and what else was changed with it."""

    def __str__(self) -> str:
        """Write the change as one line."""
        notes = [note for note, told in (("weaker", self.weaker), ("takes a restart", self.restart)) if told]
        tail = f" ({', '.join(notes)})" if notes else ""
        if not self.before:
            return f"{self.path} is new: {self.after}{tail}"
        if not self.after:
            return f"{self.path} is gone, was {self.before}{tail}"
        return f"{self.path}: {self.before} becomes {self.after}{tail}"


def diff(old: Policy, new: Policy) -> tuple[Change, ...]:
    """List every difference, in the order of the struct's fields; the order of a list counts."""
    return tuple(_Walk(old, new).visit(_whole(old), _whole(new), ()))


def forbidden_live(old: Policy, new: Policy) -> tuple[Problem, ...]:
    """List what may not be changed while serving.

    What holds for the life of a process: half a change in force would be one that no file describes. And, in
    production, turning a `dangerously_` switch on: whoever can write the file must not be able to open the
    service in a second, unseen; a start is seen.
    """
    return tuple(_refused(change) for change in diff(old, new) if change.restart)


def _refused(change: Change) -> Problem:
    if change.dangerous:
        text = "a dangerous switch may not be turned on while serving"
        return Problem("GP074", change.path, 0, text, "Restart with it")
    return Problem("GP072", change.path, 0, "holds until the next start", "Restart with it, or change it back")


def _whole(value: Any) -> Any:
    """The value with every default written out, so that writing one down is no change."""
    if isinstance(value, msgspec.Struct):
        return {name: _whole(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    return value


class _Walk:
    """Both policies, side by side."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self.old = old
        self.new = new

    def visit(self, old: Any, new: Any, path: Path) -> Iterator[Change]:
        """Compare what stands at one path; a demand of a route is compared as a whole."""
        if (
            isinstance(old, dict)
            and isinstance(new, dict)
            and len(path) < _DEEPEST.get(str(path[0]) if path else "", 9)
        ):
            for name in (*old, *(name for name in new if name not in old)):
                yield from self.visit(old.get(name), new.get(name), (*path, name))
        elif old != new:
            dangerous = _dangerous(path, new)
            weaker = dangerous or self.weaker(path, old, new)
            restart = path[0] in _AT_START or (
                dangerous and "production" in (self.old.environment, self.new.environment)
            )
            yield Change(path_text(path), _words(old), _words(new), weaker, dangerous, restart)

    def weaker(self, path: Path, old: Any, new: Any) -> bool:
        if path[: len(path) - 1] in _OPENING:
            # What is gone lets nobody in; what is new lets somebody in who was refused.
            return new is not None
        if path[0] == "routes":
            old, new = self.whole(self.old, path), self.whole(self.new, path)
        judge = _JUDGES.get((str(path[0]), str(path[-1])))
        return judge is not None and judge(old, new)

    @staticmethod
    def whole(policy: Policy, path: Path) -> Any:
        """What a route demands in the end, where it says nothing itself."""
        field = str(path[2])
        value = _whole(getattr(laid_over(policy.defaults, policy.routes[str(path[1])]), field))
        return policy.caps.body if value is None and field == "max_body" else value


_DEEPEST = {"routes": 3, "defaults": 2}
"""Length of the paths at which a demand stands, such as `routes."GET /notes".require`."""

_OPENING: tuple[Path, ...] = (("routes",), ("jwt", "issuers"))


def _words(value: Any) -> str:
    """Write a value; of a table only what says something."""
    if value is None:
        return ""
    if isinstance(value, dict):
        value = {name: inner for name, inner in value.items() if inner not in (None, (), {}, "")}
    return inline(value)


def _dangerous(path: Path, new: Any) -> bool:
    """A switch that is turned on, alone or inside a table that is new."""
    if isinstance(new, dict):
        return any(_dangerous((*path, name), inner) for name, inner in new.items())
    return str(path[-1]).startswith("dangerously_") and bool(new)


def _gains(old: Any, new: Any) -> bool:
    """A list of what is allowed got something new."""
    return not set(new or ()) <= set(old or ())


def _loses(old: Any, new: Any) -> bool:
    """A list of what is demanded lost something."""
    return not set(old or ()) <= set(new or ())


def _turned_on(_: Any, new: Any) -> bool:
    return bool(new)


def _turned_off(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _longer(old: Any, new: Any) -> bool:
    return (duration(new) if new else 0) > (duration(old) if old else 0)


def _shorter(old: Any, new: Any) -> bool:
    return _longer(new, old)


def _larger_size(old: Any, new: Any) -> bool:
    return size(new or "0B") > size(old or "0B")


def _larger(old: Any, new: Any) -> bool:
    return bool(new > old)


def _smaller(old: Any, new: Any) -> bool:
    return bool(new < old)


def _any_change(_: Any, __: Any) -> bool:
    return True


def _accepts_more(old: Any, new: Any) -> bool:
    """Other kinds are accepted, or no longer all of them demanded."""
    if isinstance(old, dict):
        return not isinstance(new, dict) or _loses(old["all"], new["all"])
    # Left out, both kinds are accepted.
    before, after = (("key", "jwt") if value is None else value for value in (old, new))
    return not isinstance(new, dict) and _gains(before, after)


def _fresher(old: Any, new: Any) -> bool:
    """A login may be older, or have used fewer methods."""
    before, after = old or {"fresh": "", "methods": ()}, new or {"fresh": "", "methods": ()}
    if _loses(before["methods"], after["methods"]):
        return True
    return bool(before["fresh"]) and (not after["fresh"] or _longer(before["fresh"], after["fresh"]))


def _looser(old: Any, new: Any) -> bool:
    """Some old limit has no new one that is at least as strict."""
    before, after = ([parse(text) for text in ((v,) if isinstance(v, str) else v or ())] for v in (old, new))
    return not all(any(_as_strict(one, was) for one in after) for was in before)


def _as_strict(one: Limit, was: Limit) -> bool:
    alike = one.per == was.per and one.algorithm == was.algorithm
    enforced = one.mode == "enforce" or was.mode == "observe"
    counts = one.otherwise != "open" or was.otherwise == "open"
    return alike and enforced and counts and one.count * was.window <= was.count * one.window and one.burst <= was.burst


_DEMANDS: dict[str, Callable[[Any, Any], bool]] = {
    "public": _turned_on,
    "credentials": _accepts_more,
    "scopes": _loses,
    "require": _fresher,
    "own": _turned_off,
    "sets_cookie": _turned_off,
    "limit": _looser,
    "max_body": _larger_size,
    "content": lambda old, new: _gains((JSON,) if old is None else old, (JSON,) if new is None else new),
    "mode": lambda _, new: new == "observe",
    # Places that are kept for some are kept from others.
    "priority": lambda _, new: new in {"critical", "login"},
    "cors": lambda _, new: new not in (None, "none"),
    "headers": _any_change,
    # A schema that is replaced cannot be compared.
    "body": lambda old, _: bool(old),
}
_JUDGES: dict[tuple[str, str], Callable[[Any, Any], bool]] = {
    # What routes demand; [defaults] demands it of all.
    **{(section, field): judge for section in ("routes", "defaults") for field, judge in _DEMANDS.items()},
    # Pages.
    **{("cors", field): _gains for field in ("origins", "methods", "headers", "expose")},
    **{("cors", field): _turned_on for field in ("credentials", "debug")},
    ("cors", "max_age"): _longer,
    ("headers", "hsts"): _shorter,
    ("headers", "locked"): _turned_off,
    ("headers", "csp"): _any_change,
    # Callers.
    ("hosts", "hosts"): _gains,
    ("forwarded", "peers"): _gains,
    ("forwarded", "hops"): _larger,
    **{("caps", field): _larger_size for field in ("body", "header_bytes", "path", "query")},
    **{("caps", field): _larger for field in ("header_count", "fields", "depth")},
    ("caps", "body_time"): _longer,
    ("overload", "in_flight"): _larger,
    ("overload", "wait"): _longer,
    ("mode", "mode"): lambda _, new: new == "observe",
    # Who is believed.
    **{("jwt", field): _longer for field in ("access", "refresh", "leeway", "max_age")},
    **{("jwt", field): _gains for field in ("scopes", "algorithms", "typ")},
    **{("jwt", field): _any_change for field in ("issuer", "jwks", "audience", "tenant", "algorithm")},
    ("keys", "overlap"): _longer,
    ("keys", "environment"): lambda _, new: new in {"test", "dev"},
    ("keys", "most_per_owner"): _larger,
    ("accounts", "accounts"): _turned_on,
    ("accounts", "scopes"): _gains,
    ("accounts", "register"): _turned_on,
    ("accounts", "password_length"): _smaller,
    ("accounts", "fresh"): _longer,
    **{("accounts", field): _looser for field in ("registrations", "logins", "failures", "failures_per_address")},
    ("audit", "keep"): _shorter,
}
"""Section and field -> whether a change weakens. What is not listed never does."""
