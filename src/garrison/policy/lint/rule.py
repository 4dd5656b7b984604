"""What a lint rule is: a number, a severity, a function over the facts, and two examples that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from garrison.model import scope
from garrison.policy.file.holes import Looks
from garrison.policy.table import demands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.policy.file.holes import Holes
    from garrison.policy.schema import Policy
    from garrison.policy.table import Demand, Rows

__all__ = ["RULES", "Example", "Facts", "Files", "Found", "Rule", "at", "rule"]

Files: TypeAlias = Callable[[str], bytes]
"""Reads a file that the policy names; raises `OSError` or `UsageError`."""

_UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))


class Found(NamedTuple):
    """One place where a rule is broken."""

    path: tuple[str | int, ...]
    text: str
    remedy: str


def at(row: Demand, text: str, remedy: str, *fields: str) -> Found:
    """Report a route, or a field of it."""
    return Found(("routes", row.name, *fields), text, remedy)


class Facts:
    """What the rules look at; computed once for all of them."""

    def __init__(
        self, policy: Policy, endpoints: Rows = (), files: Files | None = None, holes: Holes = frozenset()
    ) -> None:
        """Keep policy and endpoints.

        Args:
            policy: A policy whose every notation is known to be right.
            endpoints: Endpoints of Garrison's own, which count as routes.
            files: Reads a body's schema; None: files are not looked at.
            holes: Places where something else was written, which could not be read.
        """
        self.plain = policy
        self.files = files
        self.looks = Looks(holes)
        self.policy: Policy = self.looks.at(policy, ())
        self.production = policy.environment == "production"
        self._rows = tuple(self.looks.row(row) for row in demands(policy, endpoints))
        self._written = tuple(row for row in self._rows if row.name in policy.routes)

    @property
    def rows(self) -> Sequence[Demand]:
        """Every route, and the endpoints that count as one."""
        self.looks.listed(("routes",))
        return self._rows

    @property
    def written(self) -> Sequence[Demand]:
        """Routes that stand in the file; what is said about others has no line to mend."""
        self.looks.listed(("routes",))
        return self._written

    @property
    def demanded(self) -> frozenset[str]:
        """Scopes that some route demands."""
        return frozenset(wanted for row in self.rows for wanted in row.whole.scopes or ())

    def grants(self, wanted: str) -> bool:
        """Tell whether new users or a foreign issuer may carry a scope."""
        policy = self.policy
        granted = set(policy.accounts.scopes if policy.accounts else ())
        granted.update(name for issuer in policy.jwt.issuers.values() for name in issuer.scopes)
        return scope.covers(frozenset(granted), wanted)

    def known(self, section: str, fields: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """Give fields of a section that each stand for themselves, without those that could not be read."""
        part = getattr(self.plain, section)
        holes = self.looks.holes
        return ((field, getattr(part, field)) for field in fields if not {(section,), (section, field)} & holes)

    @staticmethod
    def writes(row: Demand) -> bool:
        """Tell whether a route takes a method that changes something."""
        return not _UNSAFE.isdisjoint(row.parsed.methods)

    @staticmethod
    def accepts(row: Demand, credential: str) -> bool:
        """Tell whether a route takes a credential of that kind."""
        kinds = row.whole.credentials
        if kinds is None:
            return True
        return credential in (kinds if isinstance(kinds, tuple) else kinds.all)

    @staticmethod
    def limits(row: Demand) -> tuple[str, ...]:
        """List a route's limits as they are written."""
        limit = row.whole.limit
        return (limit,) if isinstance(limit, str) else limit or ()


class Example(NamedTuple):
    """A policy that breaks a rule, or keeps it."""

    text: str
    environment: str = "production"


class Rule(NamedTuple):
    """One rule of the linter."""

    number: str
    severity: str
    title: str
    why: str
    bad: Example
    good: Example
    judge: Callable[[Facts], Iterator[Found]]


RULES: dict[str, Rule] = {}
"""Every rule by its number."""

_Judge: TypeAlias = Callable[[Facts], Iterator[Found]]


def rule(number: str, severity: str, *, bad: str | Example, good: str | Example) -> Callable[[_Judge], _Judge]:
    """Register a rule; the first line of the function's docstring is its title, the rest says why it matters.

    Args:
        number: `GP030`; never used again when a rule goes.
        severity: `error` or `warning`.
        bad: TOML that breaks the rule, read for production unless an `Example` says otherwise.
        good: The same, mended.
    """

    def register(judge: _Judge) -> _Judge:
        title, _, why = (judge.__doc__ or "").partition("\n")
        RULES[number] = Rule(number, severity, title, " ".join(why.split()), _example(bad), _example(good), judge)
        return judge

    return register


def _example(given: str | Example) -> Example:
    return given if isinstance(given, Example) else Example(given)
