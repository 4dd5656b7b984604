"""The words of rate limiting: a limit, a wish to spend from it, and what became of the wish.

Instants and durations are integer microseconds. All arithmetic on them is exact, so that no rounding ever
lets one request more through, nor loses a fraction of what comes back.
"""

from __future__ import annotations

from math import gcd
from typing import Any, Final, Literal, NamedTuple, NoReturn, TypeAlias

from garrison.errors import UsageError
from garrison.model.units import DAY

__all__ = [
    "ALGORITHMS",
    "COUNTED",
    "LONGEST_WINDOW",
    "MONTH",
    "MOST",
    "MOST_AT_ONCE",
    "MOST_LOGGED",
    "NEVER",
    "OTHERWISE",
    "PARTIES",
    "SLICES",
    "Algorithm",
    "Ask",
    "Counted",
    "Limit",
    "Mode",
    "Otherwise",
    "Party",
    "Verdict",
]

Algorithm: TypeAlias = Literal["rate", "log", "window", "calendar", "concurrency"]
"""How requests are counted; a module of this package each."""

Party: TypeAlias = Literal["address", "principal", "key", "tenant", "global"]
"""Who shares one count."""

Mode: TypeAlias = Literal["enforce", "observe"]
"""Whether a spent limit denies, or only says that it would."""

Counted: TypeAlias = Literal["exact", "fast", "local"]
"""How processes that share counters count together; alone, a process counts exactly whatever is said.

`exact`: every request asks the shared counters. `fast`: a process takes some in advance and spends them within 100 ms;
never more than the limit in all, but up to a quarter of the burst may pass 100 ms after its time. `local`: each process
counts alone, by its share of the limit.
"""

Otherwise: TypeAlias = Literal["records", "closed", "local", "open"]
"""What becomes of a request that the shared counters cannot count.

`records`: it is counted in the records store, and refused if that fails too. `closed`: it is refused. `local`: it is
counted in the process, by its share of the limit. `open`: it passes.
"""

ALGORITHMS: Final[tuple[Algorithm, ...]] = ("rate", "log", "window", "calendar", "concurrency")
PARTIES: Final[tuple[Party, ...]] = ("address", "principal", "key", "tenant", "global")
COUNTED: Final[tuple[Counted, ...]] = ("exact", "fast", "local")
OTHERWISE: Final[tuple[Otherwise, ...]] = ("records", "closed", "local", "open")

MOST: Final = 10**9
"""Largest count and burst: what a counter of any store keeps exactly."""

MOST_LOGGED: Final = 64
"""Largest count of an exact log, which keeps one instant for each request."""

MOST_AT_ONCE: Final = 10_000
"""Largest count of a concurrency limit, which keeps one lease for each request in flight."""

SLICES: Final = 16
"""Parts into which a window is cut; quota returns at most a sixteenth of the window late."""

LONGEST_WINDOW: Final = 366 * DAY
"""A year: longer counts are quotas of a contract, and belong in records."""

MONTH: Final = 31 * DAY
"""The longest month. A calendar limit with this window follows the months of UTC, long and short."""

NEVER: Final = 2**53
"""`Verdict.retry_after` of an ask that no waiting can fulfil: it costs more than the limit ever holds."""

_MOST: Final[dict[str, int]] = {"log": MOST_LOGGED, "concurrency": MOST_AT_ONCE}

_FACTS: Final = ("algorithm", "count", "window", "burst", "per", "name", "mode", "counted", "otherwise")
"""What a limit is made from."""

_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-")


class Verdict(NamedTuple):
    """What one limit says to one ask; durations in microseconds."""

    allowed: bool
    """Whether this limit lets the ask pass. A limit that only observes always does."""

    remaining: int
    """Units that could be spent at this instant, after this ask if it was spent."""

    retry_after: int
    """How long until the same ask would pass; 0: now; `NEVER`: no waiting helps.

    Where `allowed` holds and this is not 0, a limit in `observe` mode would have refused.
    """

    reset_after: int
    """How long until further units come back; 0 when none are missing.

    This is the parameter `t` of the RateLimit field (draft-ietf-httpapi-ratelimit-headers-10, section 4.1.2).
    """

    lease: int = 0
    """Names what a concurrency limit holds; hand it back in `Ask.lease` to release it."""


class Limit:
    """How often one subject may pass; frozen, equal by value, compiled once.

    In a policy: `limit = "100/m burst 20 per key"`; `garrison.limits.parse` turns that text into this.

    Counters of one subject are told apart by `key`: the algorithm with the name or, without a name, the
    window. So a changed count or burst keeps what was spent, and a named limit keeps it when its window
    changes too.
    """

    __slots__ = (
        "algorithm",
        "burst",
        "count",
        "counted",
        "drain",
        "full",
        "hashed",
        "identity",
        "key",
        "mode",
        "name",
        "otherwise",
        "per",
        "refill",
        "shape",
        "slice",
        "unit",
        "window",
    )

    algorithm: Algorithm
    count: int
    window: int
    burst: int
    per: Party
    name: str
    mode: Mode
    counted: Counted
    otherwise: Otherwise
    identity: str
    """All of the above in one text: limits with equal ones are equal."""
    hashed: int
    """The hash of that text: steps are looked up by their limits with every refusal."""
    key: str
    """Tells the counters of one subject apart."""
    shape: str
    """Tells apart what the numbers of a counter mean, and how long it lives."""
    drain: int
    """Microseconds after which a counter that nobody touches is as good as new."""
    refill: int
    """Debt that a rate forgives per microsecond."""
    unit: int
    """Debt that a rate charges per request; `refill / unit` requests per microsecond is the rate in lowest terms."""
    full: int
    """Debt beyond which a rate denies: `burst * unit`."""
    slice: int
    """Microseconds of one part of a window."""

    def __init__(
        self,
        *,
        count: int,
        window: int,
        algorithm: Algorithm = "rate",
        burst: int | None = None,
        per: Party = "address",
        name: str = "",
        mode: Mode = "enforce",
        counted: Counted = "exact",
        otherwise: Otherwise = "records",
    ) -> None:
        """Check the numbers and compile what the algorithms need.

        Args:
            count: Requests that a window brings back, or that may be in flight.
            window: Microseconds; of a concurrency limit: how long a lease lives if nobody releases it.
            algorithm: How to count.
            burst: Requests that a rate lets come at once; the count when left out. Others have none.
            per: Who shares one count.
            name: What the limit is called in header fields and problem details: at most 64 characters
                of `[A-Za-z0-9_.:/-]`.
            mode: `observe` never denies.
            counted: How processes count together; only a rate is `fast`, because what is taken in advance may pass
                a moment after its window.
            otherwise: What becomes of a request that cannot be counted.

        Raises:
            UsageError: A number out of its bounds, or a word that is none of the choices.
        """
        burst, most = count if burst is None else burst, _MOST.get(algorithm, MOST)
        _demand(algorithm in ALGORITHMS, f"the algorithm must be one of {', '.join(ALGORITHMS)}")
        _demand(_is_count(count, most), f"the count must be a whole number from 0 to {most:,}")
        _demand(_is_count(burst, MOST), f"the burst must be a whole number from 0 to {MOST:,}")
        _demand(algorithm == "rate" or burst == count, "only a rate has a burst")
        _demand((count == 0) == (burst == 0), "a rate of nothing has no burst, and a rate of something has one")
        _demand(_is_count(window, LONGEST_WINDOW) and window > 0, "the window must be from 1us to 366d")
        _demand(per in PARTIES, f"what is counted must be one of {', '.join(PARTIES)}")
        _demand(mode in {"enforce", "observe"}, "the mode must be enforce or observe")
        _demand(counted in COUNTED, f"how it is counted must be one of {', '.join(COUNTED)}")
        _demand(counted != "fast" or algorithm == "rate", "only a rate is fast")
        _demand(otherwise in OTHERWISE, f"what stands after else must be one of {', '.join(OTHERWISE)}")
        _demand(len(name) <= 64 and _NAME.issuperset(name), "a name has at most 64 of A-Z a-z 0-9 _ . : / -")
        refill, unit = _lowest(count, window)
        own = {
            "algorithm": algorithm,
            "count": count,
            "window": window,
            "burst": burst,
            "per": per,
            "name": name,
            "mode": mode,
            "counted": counted,
            "otherwise": otherwise,
            "identity": f"{algorithm} {count} {window} {burst} {per} {name} {mode} {counted} {otherwise}",
            # A log that grows beyond its bound becomes a window: one counter, so that nobody starts afresh.
            "key": f"{'most' if algorithm in {'log', 'window'} else algorithm} {name or window}",
            "shape": f"{algorithm} {name} {window} {refill}/{unit} {burst}",
            "refill": refill,
            "unit": unit,
            "full": burst * unit,
            "slice": -(-window // SLICES),
            "drain": _drain(algorithm, count, window, burst),
        }
        for field, value in own.items():
            object.__setattr__(self, field, value)
        object.__setattr__(self, "hashed", hash(self.identity))

    def __setattr__(self, field: str, value: object) -> NoReturn:
        raise AttributeError("a Limit is frozen")

    def __delattr__(self, field: str) -> NoReturn:
        raise AttributeError("a Limit is frozen")

    def _facts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _FACTS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limit) and self.identity == other.identity

    def __hash__(self) -> int:
        return self.hashed

    def __repr__(self) -> str:
        from garrison.limits.notation import text

        return f"parse({text(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, self._facts()

    def but(self, **changes: Any) -> Limit:
        """Make the same limit with some arguments changed: `limit.but(mode="observe")`."""
        facts = dict(zip(_FACTS, self._facts(), strict=True))
        if facts["burst"] == facts["count"] and "burst" not in changes:
            facts["burst"] = None
        return Limit(**{**facts, **changes})


class Ask(NamedTuple):
    """A wish to spend units of one subject's limit."""

    subject: str
    """The whole key: rule and counted party, from `garrison.limits.subject.subject_key`."""

    limit: Limit

    cost: int = 1
    """Units to spend; 0 only looks."""

    lease: int = 0
    """For `release` of a concurrency limit: the verdict's `lease`."""


def _lowest(count: int, window: int) -> tuple[int, int]:
    shared = gcd(count, window)
    return count // shared, window // shared


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UsageError(otherwise)


def _is_count(number: object, most: int) -> bool:
    """Tell a whole number from look-alikes: True is no count, and 1.0 is not exact."""
    return type(number) is int and 0 <= number <= most


def _drain(algorithm: Algorithm, count: int, window: int, burst: int) -> int:
    if algorithm == "rate":
        return -(-burst * window // max(count, 1))
    # A window counts the whole of its oldest slice, and the slice it is in.
    return (SLICES + 1) * -(-window // SLICES) if algorithm == "window" else window


def _again(*facts: Any) -> Limit:
    return Limit(**dict(zip(_FACTS, facts, strict=True)))
