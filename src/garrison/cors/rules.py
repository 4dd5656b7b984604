"""What a CORS policy must hold, checked before it is compiled; every mistake at once, as values.

Sources: Fetch standard, CORS protocol; RFC 6761 section 6.3 (`localhost`); the Public Suffix List.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from garrison.cors.names import wrong_expose, wrong_header, wrong_method
from garrison.cors.origin import Mistake, is_loopback
from garrison.cors.pattern import ANY, Matcher, Pattern, known_scheme, read
from garrison.cors.suffix import is_public
from garrison.errors import Problem, UsageError
from garrison.model.units import DAY, SECOND, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["LONGEST_ASK", "MOST_ASKED", "CorsPolicy", "check", "patterns"]

LONGEST_ASK = 2048
"""Bytes of a preflight's header list that are looked at; a longer one is refused unread."""

MOST_ASKED = 128
"""Elements of a preflight's header list, empty ones included."""

_LONGEST_AGE = DAY
"""Microseconds; Firefox keeps a preflight that long at most, Chromium two hours."""

_LISTS = ("origins", "methods", "headers", "expose")
_SWITCHES = (
    "credentials",
    "private_network",
    "dangerously_allow_insecure_origins",
    "dangerously_allow_public_suffix_subdomains",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CorsPolicy:
    """Which pages of other origins may read the answers, and what they may send.

    In a policy file: a table `[cors.<name>]` with the same names. Nothing is allowed that is not listed.
    """

    origins: tuple[str, ...]
    """`https://app.example.com`, `https://*.example.com`, `http://localhost:*`, or `*` alone."""

    methods: tuple[str, ...] = ()
    """Methods besides GET, HEAD and POST, for which browsers look at no list; `*`: all."""

    headers: tuple[str, ...] = ()
    """Request fields that pages may set; `*`: all (without credentials: all but Authorization)."""

    expose: tuple[str, ...] = ()
    """Answer fields that pages may read; `*`: all, without credentials only."""

    credentials: bool = False
    """Whether pages may send cookies and client certificates along, and read the answer."""

    max_age: str = "10m"
    """How long a browser may keep the answer to a preflight: `"10m"`; `"0s"`: not at all."""

    private_network: bool = False
    """Whether to answer the former Private Network Access question; browsers have replaced it by a prompt."""

    dangerously_allow_insecure_origins: bool = False
    """Whether http origins outside loopback may have credentials: whoever is on the path becomes them."""

    dangerously_allow_public_suffix_subdomains: bool = False
    """Whether a pattern may cover names that strangers can register."""


def check(policy: CorsPolicy, path: str = "cors") -> tuple[Problem, ...]:
    """Find every mistake of a policy, and what its dangerous switches deserve to be said about.

    Args:
        policy: Anything that has the fields; their types are checked too.
        path: Where the policy stands, `cors.web`; lines of a file are filled in by its loader.

    Returns:
        Errors and warnings, in the order of the fields.
    """
    mistyped = tuple(_mistyped(policy))
    told = tuple(place for _, place, _ in mistyped)
    typed = _typed(policy) if mistyped else policy
    judged = (*_origins(typed), *_names(typed), *_max_age(typed), *_switches(typed))
    found = (*mistyped, *(one for one in judged if not one[1].startswith(told)))
    return tuple(
        Problem(mistake.rule, f"{path}.{place}", 0, mistake.text, mistake.remedy, severity)
        for severity, place, mistake in found
    )


def patterns(policy: CorsPolicy) -> tuple[Pattern, ...]:
    """Read the origins of a policy that `check` found sound; unsound entries are left out."""
    return tuple(entry for entry in map(read, policy.origins) if isinstance(entry, Pattern))


_Found = tuple[str, str, Mistake]
"""Severity, place below the policy, mistake."""


def _mistyped(policy: CorsPolicy) -> Iterator[_Found]:
    """A bare string in place of a list would be read letter by letter, or searched for substrings."""
    for field in _LISTS:
        value = getattr(policy, field)
        if not isinstance(value, tuple):
            remedy = f'Write ("{value}",)' if isinstance(value, str) else "Write a tuple of texts"
            yield "error", field, Mistake("GP102", f"{field} is not a tuple", remedy)
            continue
        for at, entry in enumerate(value):
            if not isinstance(entry, str):
                yield "error", f"{field}[{at}]", Mistake("GP102", "this is not text", "Write a text")
    if not isinstance(policy.max_age, str):
        remedy = 'Write a duration, such as "10m"'
        yield "error", "max_age", Mistake("GP102", "max_age is not text", remedy)
    for field in _SWITCHES:
        if not isinstance(getattr(policy, field), bool):
            yield "error", field, Mistake("GP102", f"{field} is neither true nor false", "Write true or false")


def _typed(policy: CorsPolicy) -> CorsPolicy:
    """Put something of the right type where another stands, so that a wrong type hides no other mistake."""
    age: object = policy.max_age
    changes: dict[str, Any] = {"max_age": age if isinstance(age, str) else "10m"}
    for field in _LISTS:
        entries = getattr(policy, field)
        entries = entries if isinstance(entries, tuple) else ()
        changes[field] = tuple(entry if isinstance(entry, str) else "" for entry in entries)
    for field in _SWITCHES:
        changes[field] = getattr(policy, field) is True
    return replace(policy, **changes)


def _origins(policy: CorsPolicy) -> Iterator[_Found]:
    if not policy.origins:
        remedy = "List the origins of the pages that may read the answers, or use no CORS policy at all"
        yield "error", "origins", Mistake("GP101", "no origin is listed", remedy)
    entries = [read(text) for text in policy.origins]
    for at, entry in enumerate(entries):
        place = f"origins[{at}]"
        if isinstance(entry, Mistake):
            yield "error", place, entry
            continue
        yield from (("error", place, mistake) for mistake in (_open(policy, entry), _owned(policy, entry)) if mistake)
        if _insecure(entry) and not policy.credentials:
            remedy = "Serve the page over https; until then whoever is on the path reads what it may read"
            yield "warning", place, Mistake("GP138", f"{entry.text!r} is not encrypted", remedy)
        if entry is not ANY and not known_scheme(entry.scheme):
            remedy = "Write https, or leave it where an app of your own has that scheme"
            yield "warning", place, Mistake("GP143", f"no browser is known to have pages of {entry.scheme!r}", remedy)
    yield from _redundant(entries)


def _redundant(entries: Sequence[Pattern | Mistake]) -> Iterator[_Found]:
    """Entries that stand twice, and exact ones that a pattern covers already."""
    wide = [entry for entry in entries if isinstance(entry, Pattern) and not entry.exact]
    covered_by = Matcher(wide)
    seen: set[str] = set()
    for at, entry in enumerate(entries):
        if isinstance(entry, Mistake):
            continue
        if entry.text in seen or (entry is not ANY and covered_by.any):
            remedy = "Remove it"
        elif entry.exact and covered_by.matches(entry.text.encode("ascii")):
            remedy = "Remove it, or the pattern that says more than you mean"
        else:
            seen.add(entry.text)
            continue
        yield "warning", f"origins[{at}]", Mistake("GP131", f"{entry.text!r} is covered by another entry", remedy)


def _open(policy: CorsPolicy, entry: Pattern) -> Mistake | None:
    """With credentials a page acts as the user: only origins that nobody else can become."""
    if not policy.credentials:
        return None
    if entry is ANY:
        remedy = "List the origins, or leave credentials out"
        return Mistake("GP103", "every origin with credentials lets any page act as your users", remedy)
    if _insecure(entry) and not policy.dangerously_allow_insecure_origins:
        remedy = f"Write {entry.text.replace('http', 'https', 1)} and serve the page so"
        return Mistake("GP114", f"{entry.text!r} has credentials without encryption", remedy)
    return None


def _owned(policy: CorsPolicy, entry: Pattern) -> Mistake | None:
    """Only names that strangers cannot register, without credentials too: who wants all pages writes `*`.

    The list also opens WebSockets and cross-site writes, where a browser sends cookies whatever is said here.
    """
    if not entry.below or entry is ANY or is_loopback(entry.host) or policy.dangerously_allow_public_suffix_subdomains:
        return None
    public = is_public(entry.host)
    if public is None:
        remedy = "Install publicsuffixlist, which brings the list, or write the hosts one by one"
        return Mistake("GP122", f"without the Public Suffix List nobody can tell who owns {entry.host}", remedy)
    if public:
        remedy = "Write a name of your own behind the star"
        return Mistake("GP115", f"anybody can get a host that {entry.text!r} covers", remedy)
    return None


def _insecure(entry: Pattern) -> bool:
    return entry.scheme == "http" and not is_loopback(entry.host)


def _names(policy: CorsPolicy) -> Iterator[_Found]:
    judges: dict[str, Callable[[str], Mistake | None]]
    judges = {"methods": wrong_method, "headers": wrong_header, "expose": wrong_expose}
    for field, judge in judges.items():
        names: tuple[str, ...] = getattr(policy, field)
        for at, name in enumerate(names):
            if name == "*" and policy.credentials:
                yield from _star(field, at)
            elif mistake := judge(name):
                yield "error", f"{field}[{at}]", mistake
            elif name.lower() in [earlier.lower() for earlier in names[:at]]:
                yield "warning", f"{field}[{at}]", Mistake("GP131", f"{name} is listed twice", "Remove it")
    if len(policy.headers) > MOST_ASKED or len(",".join(policy.headers)) > LONGEST_ASK:
        remedy = f"List at most {MOST_ASKED} names, {LONGEST_ASK} characters together"
        yield "error", "headers", Mistake("GP121", "a page could not ask for all of these at once", remedy)


def _star(field: str, at: int) -> Iterator[_Found]:
    if field == "expose":
        text = "with credentials browsers take * for the field named *"
        yield "error", f"expose[{at}]", Mistake("GP119", text, "List the fields")
        return
    text = f"pages may send any of the {field} along with your users' credentials"
    yield "warning", f"{field}[{at}]", Mistake("GP142", text, f"List the {field}")


def _max_age(policy: CorsPolicy) -> Iterator[_Found]:
    remedy = 'Write 0 to 24 hours, such as "10m"'
    try:
        age = duration(policy.max_age)
    except UsageError:
        age = -1
    if age < 0 or age % SECOND:
        yield "error", "max_age", Mistake("GP120", "max_age is not a duration in whole seconds", remedy)
    elif age > _LONGEST_AGE:
        yield "error", "max_age", Mistake("GP120", "no browser keeps a preflight for more than a day", remedy)
    elif age > DAY // 12:
        text = "Chromium keeps a preflight for two hours at most, others for a day: revocation is slower there"
        yield "warning", "max_age", Mistake("GP137", text, 'Write "2h" or less')


def _switches(policy: CorsPolicy) -> Iterator[_Found]:
    if policy.dangerously_allow_insecure_origins:
        text = "whoever is on the path of an http page gets your users' credentials"
        yield "warning", _SWITCHES[2], Mistake("GP139", text, "Serve the pages over https and remove the switch")
    if policy.dangerously_allow_public_suffix_subdomains:
        text = "strangers can get hosts that the patterns cover"
        yield "warning", _SWITCHES[3], Mistake("GP140", text, "List your own hosts and remove the switch")
    if policy.private_network:
        text = "browsers have replaced Private Network Access by a permission prompt"
        yield "warning", "private_network", Mistake("GP141", text, "Remove it")
