"""The chapter's exercise: CORS policies that change while they hold, differ by environment, and are shared by workers.

The policies are records of a store, so every worker that opens the same store answers by the same ones from the next
request on; a change and its audit event are one commit. Names of a configuration are those of `CORSPolicy`; under
`environments` stands what is different in one:

`{"allowed_origins": ["https://app.example.com"], "environments": {"development": {"allowed_origins": […]}}}`
"""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct
from msgspec.structs import asdict, replace

from garrison.cors import compare, explain
from garrison.errors import Problem, UsageError
from garrison.handbook.arguments import checked
from garrison.handbook.cors_manager import MALFORMED, CORSPolicy, preflight, problems_of, ready
from garrison.handbook.twoway import both_ways, both_ways_or
from garrison.model.event import Event
from garrison.model.fit import fit, path_text
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison.cors import Change, Cors, Explanation
    from garrison.model.clock import Clock
    from garrison.model.fit import Misfit
    from garrison.stores.protocols import Records

__all__ = ["CORS_POLICIES", "EnhancedCORSManager", "Environment"]

Environment = Literal["development", "staging", "production"]

_STRICT: Final = frozenset(("GP132", "GP138", "GP142"))
"""What is a warning elsewhere and refused in production: loopback, http without credentials, `*` with credentials."""

_RULES: Final = {"unknown": "GP002", "missing": "GP003"}


class _Differences(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one environment says otherwise."""

    allowed_origins: list[str] | None = None
    allowed_methods: list[str] | None = None
    allowed_headers: list[str] | None = None
    exposed_headers: list[str] | None = None
    allow_credentials: bool | None = None
    max_age: int | None = None


class _Configuration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy as the caller writes it."""

    allowed_origins: list[str]
    allowed_methods: list[str] = []
    allowed_headers: list[str] = []
    exposed_headers: list[str] = []
    allow_credentials: bool = False
    max_age: int = 600
    environments: dict[Environment, _Differences] = {}


class _Stored(Record, frozen=True, kw_only=True):
    """A policy under its name."""

    name: str
    configuration: _Configuration


CORS_POLICIES: Final = Kind(name="handbook_cors_policy", struct=_Stored, key="name")
"""The kind that a store for `EnhancedCORSManager` is opened with."""


class EnhancedCORSManager:
    """Keeps policies by name. What is dangerous is refused, and an unknown policy allows nothing.

    Every method is called at once, or awaited as `method.aio(...)`.
    """

    @checked
    def __init__(
        self,
        *,
        environment: Environment = "production",
        records: Records | None = None,
        clock: Clock | None = None,
        actor: str = "",
    ) -> None:
        """Choose where this worker runs.

        Args:
            environment: Whose differences hold here; in production, more is refused.
            records: Where the policies live, opened with `CORS_POLICIES`; in memory when left out.
            clock: Dates the audit events; the machine's when left out.
            actor: Who changes policies, for the audit events.
        """
        self.environment: Environment = environment
        self._clock = SystemClock() if clock is None else clock
        self.records = MemoryRecords(self._clock, token_bytes(32)) if records is None else records
        self._actor = actor
        self._compiled: dict[str, tuple[_Configuration, Cors]] = {}

    @both_ways_or(False)
    async def create_policy(self, name: str, config: Mapping[str, Any]) -> bool:
        """Put a policy in force.

        Returns:
            False, and nothing has changed, when the name is taken or `find_problems` finds an error.
        """
        made = fit(dict(config), _Configuration).value
        return made is not None and await self._commit(_Stored(name=name, configuration=made), "created")

    @both_ways_or(False)
    async def update_policy(self, name: str, updates: Mapping[str, Any]) -> bool:
        """Change some fields of a policy, whole; the next request is answered by it, in every worker.

        Returns:
            False, and the old policy stays in force, when there is none, when somebody else changed it at the same
            moment, or when `find_problems` finds an error in the outcome.
        """
        stored = await self.records.get(CORS_POLICIES, name)
        made = None if stored is None else fit(_updated(stored, updates), _Configuration).value
        return made is not None and await self._commit(replace(stored, configuration=made), "updated")

    @both_ways_or(False)
    async def validate_origin(self, origin: str, policy: str) -> bool:
        """Tell whether pages of an origin may read answers."""
        cors = await self._current(policy)
        return cors is not None and cors.allows(origin.encode("latin-1", "replace"))

    @both_ways_or(MALFORMED)
    async def handle_preflight(self, request_data: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a preflight, as `CORSManager.handle_preflight_request` does.

        Args:
            request_data: `origin`; `method` and `headers`, the ones asked for; `policy`, the name.
        """
        asked = request_data.get("headers", ())
        cors = await self._current(str(request_data.get("policy", "")))
        return preflight(cors, request_data.get("origin"), str(request_data.get("method", "")), asked)

    @both_ways
    async def preview_update(self, name: str, updates: Mapping[str, Any]) -> Change:
        """Say which origins an update would add and remove here, and which fields it changes.

        Raises:
            UsageError: There is no such policy, or the outcome does not fit.
            PolicyError: The outcome has errors.
        """
        stored = await self.records.get(CORS_POLICIES, name)
        made = None if stored is None else fit(_updated(stored, updates), _Configuration).value
        if stored is None or made is None:
            raise UsageError(f"there is no policy {name[:80]!r} that could be changed so")
        old, new = (ready(_policy(each, self.environment), name) for each in (stored.configuration, made))
        return compare(old.policy, new.policy)

    @both_ways
    async def explain_request(
        self, origin: str, policy: str, method: str = "GET", headers: Sequence[str] = ()
    ) -> Explanation:
        """Say why a page may or may not send a request, and what its browser's console says.

        Raises:
            UsageError: There is no such policy.
        """
        cors = await self._current(policy)
        if cors is None:
            raise UsageError(f"there is no CORS policy {policy[:80]!r}")
        return explain(cors, origin, method, headers)

    @both_ways
    async def find_problems(self, config: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Say everything that is wrong with a configuration, for each of its environments."""
        fitted = fit(dict(config), _Configuration)
        if fitted.value is not None:
            return _problems(fitted.value, self.environment)
        return tuple(
            Problem(_RULES.get(misfit.code, "GP004"), path_text(misfit.path), 0, misfit.text, _remedy(misfit))
            for misfit in fitted.misfits
        )

    async def _commit(self, stored: _Stored, done: str) -> bool:
        if any(problem.severity == "error" for problem in _problems(stored.configuration, self.environment)):
            return False
        event = Event(
            code="policy_changed",
            at=self._clock.wall(),
            actor=self._actor,
            subject=f"cors:{stored.name}",
            severity="warning",
            details={"change": done, "origins": " ".join(stored.configuration.allowed_origins)},
        )
        return (await self.records.commit([Put(CORS_POLICIES, stored)], [event])).done

    async def _current(self, name: str) -> Cors | None:
        """The record is the truth; what was compiled from it is only kept as long as it is the same."""
        stored: _Stored | None = await self.records.get(CORS_POLICIES, name) if name else None
        if stored is None:
            self._compiled.pop(name, None)
            return None
        known = self._compiled.get(name)
        if known is None or known[0] != stored.configuration:
            known = stored.configuration, ready(_policy(stored.configuration, self.environment), name)
            self._compiled[name] = known
        return known[1]


def _remedy(misfit: Misfit) -> str:
    return f"Write {' or '.join(misfit.offers)}" if misfit.offers else "Write what it must be"


def _policy(configuration: _Configuration, environment: Environment) -> CORSPolicy:
    facts = {name: value for name, value in asdict(configuration).items() if name != "environments"}
    differences = configuration.environments.get(environment)
    if differences is not None:
        facts |= {name: value for name, value in asdict(differences).items() if value is not None}
    return CORSPolicy(**facts)


def _updated(stored: _Stored, updates: Mapping[str, Any]) -> dict[str, Any]:
    from msgspec import to_builtins

    return {**to_builtins(stored.configuration), **updates}


def _problems(configuration: _Configuration, here: Environment) -> tuple[Problem, ...]:
    """Judge every environment that is named, and this one."""
    found: list[Problem] = []
    for environment in dict.fromkeys((here, *configuration.environments)):
        production = environment == "production"
        for problem in problems_of(_policy(configuration, environment), environment, production=production):
            hard = production and problem.rule in _STRICT
            found.append(problem._replace(severity="error") if hard else problem)
    return tuple(found)
