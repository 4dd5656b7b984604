"""Change a CORS policy while it is in force: all or nothing, and with a list of who gained and who lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.cors.answer import Cors, compile_cors

if TYPE_CHECKING:
    from garrison.cors.rules import CorsPolicy

__all__ = ["Change", "LiveCors", "compare"]


class Change(NamedTuple):
    """What one policy has that another has not."""

    gained: tuple[str, ...]
    """Entries of `origins` that are new."""

    lost: tuple[str, ...]
    """Entries of `origins` that are gone. Their pages may still send from a cached preflight, until it expires;
    what stops them from then on is the cross-site check."""

    fields: tuple[str, ...]
    """Every field that differs, by name."""

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.fields)


class LiveCors:
    """The policy in force. A request reads `current` once and keeps it to its end."""

    __slots__ = ("current", "version")

    def __init__(self, policy: CorsPolicy, path: str = "cors", *, debug: bool = False) -> None:
        """Put the first policy in force.

        Raises:
            PolicyError: It has errors.
        """
        self.current: Cors = compile_cors(policy, path, debug=debug)
        self.version = 1
        """Goes up with every change."""

    def replace(self, policy: CorsPolicy, path: str = "cors") -> Change:
        """Put another policy in force, with one assignment; counters go on.

        Returns:
            What has changed; an equal policy changes nothing, not even the version.

        Raises:
            PolicyError: The policy has errors; the old one stays in force.
        """
        old = self.current
        change = compare(old.policy, policy)
        fresh = compile_cors(policy, path, tally=old.tally, debug=old.debug)
        if change:
            self.current = fresh
            self.version += 1
        return change


def compare(old: CorsPolicy, new: CorsPolicy) -> Change:
    """Say what differs between two policies; the order of a list does not matter."""
    fields = tuple(
        field for field in old.__slots__ if _unordered(getattr(old, field)) != _unordered(getattr(new, field))
    )
    before, after = dict.fromkeys(old.origins), dict.fromkeys(new.origins)
    gained = tuple(origin for origin in after if origin not in before)
    return Change(gained, tuple(origin for origin in before if origin not in after), fields)


def _unordered(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value
