"""The security headers of one policy, checked and compiled to lines made in advance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, get_args

from garrison.errors import PolicyError, Problem, UsageError
from garrison.headers.families import Profile, caching, content, isolation, permissions, referrer, transport
from garrison.headers.finish import DISCLOSING, OWNED, Ending, ending
from garrison.model.units import DAY, SECOND, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison.model.http.request import Header

__all__ = ["Block", "HeadersPolicy", "SecurityHeaders", "check", "compile_headers"]

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_FRAMING = frozenset(
    "connection content-encoding content-length content-range content-type date keep-alive location set-cookie te"
    " trailer transfer-encoding upgrade vary www-authenticate".split()
)
"""Fields of one answer; a fixed value on all of them breaks some."""

_CSP = "content-security-policy"
_HSTS = "strict-transport-security"
_PRELOAD = 365 * DAY
"""Shortest HSTS that the keepers of the preload list take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadersPolicy:
    """Which security header fields answers carry: a profile, and what differs from it.

    In a policy file: a table `[headers.<name>]` with the same names.
    """

    profile: Profile = "api"
    """`api`, `html` or `docs`."""

    hsts: str = "730d"
    """How long browsers insist on https; `"0s"`: not sent. Sent over https alone."""

    hsts_subdomains: bool = True
    """Whether every host below is meant as well."""

    hsts_preload: bool = False
    """Whether browsers may ship the rule. Leaving their list again takes months."""

    csp: str = ""
    """Content-Security-Policy instead of the profile's. A page with a nonce in it sends its own, which wins."""

    set: dict[str, str] = field(default_factory=dict)
    """Further fields; an empty value leaves one of the profile's out."""

    locked: bool = False
    """Whether the application's own values are replaced."""


class Block(NamedTuple):
    """The lines for one kind of answer."""

    plain: tuple[Header, ...]
    secure: tuple[Header, ...]
    """The same and HSTS."""


class SecurityHeaders:
    """A headers policy compiled; made by `compile_headers`."""

    __slots__ = ("_endings", "_private", "_public", "policy")

    def __init__(self, policy: HeadersPolicy) -> None:
        """Compile a policy that is known to be sound; use `compile_headers`."""
        self.policy = policy
        self._public = _block(policy, ())
        self._private = _block(policy, caching())
        self._endings = _ending(policy, self._public.secure), _ending(policy, self._private.secure)

    def ending(self, *, private: bool) -> Ending[bytes]:
        """Say what becomes of the application's fields; goes to `finish` as `how`."""
        return self._endings[private]

    def lines(self, *, secure: bool, private: bool) -> tuple[Header, ...]:
        """Give the lines of one answer; goes to `finish` as `ours`.

        Args:
            secure: Whether the answer travels over https.
            private: Whether it is about one caller: then no cache may keep it.
        """
        block = self._private if private else self._public
        return block.secure if secure else block.plain


def check(policy: HeadersPolicy, path: str = "headers") -> tuple[Problem, ...]:
    """Find every mistake of a policy.

    Args:
        policy: What to send.
        path: Where the policy stands, `headers.web`; lines of a file are filled in by its loader.

    Returns:
        Errors, and warnings about what is weaker than the profile.
    """
    found = tuple(_check_types(policy)) or (*_check_hsts(policy), *_check_csp(policy), *_check_set(policy))
    return tuple(Problem(rule, f"{path}.{place}", 0, text, remedy, how) for how, rule, place, text, remedy in found)


def compile_headers(policy: HeadersPolicy, path: str = "headers") -> SecurityHeaders:
    """Compile a policy.

    Raises:
        PolicyError: The policy has errors; it carries all of them, and the warnings.
    """
    problems = check(policy, path)
    if any(problem.severity == "error" for problem in problems):
        raise PolicyError(problems)
    return SecurityHeaders(policy)


def _ending(policy: HeadersPolicy, lines: Sequence[Header]) -> Ending[bytes]:
    names = [name.decode("ascii") for name, _ in lines]
    return ending((), (*DISCLOSING, *names)) if policy.locked else ending(names, DISCLOSING)


def _block(policy: HeadersPolicy, further: Sequence[Header]) -> Block:
    chosen = policy.profile
    lines = dict((*content(chosen, policy.csp), *isolation(chosen), *referrer(chosen), *permissions(chosen), *further))
    rule = transport(duration(policy.hsts) // SECOND, subdomains=policy.hsts_subdomains, preload=policy.hsts_preload)
    secure = {**lines, **dict(rule)}
    return Block(_with(lines, policy.set, secure=False), _with(secure, policy.set, secure=True))


def _with(lines: dict[bytes, bytes], changes: Mapping[str, str], *, secure: bool) -> tuple[Header, ...]:
    changed = dict(lines)
    for name, value in changes.items():
        if secure or name.lower() != _HSTS:
            changed[name.lower().encode("ascii")] = value.encode("ascii")
    return tuple((name, value) for name, value in changed.items() if value)


_Found = tuple[str, str, str, str, str]
"""Severity, rule, place, text, remedy."""


def _check_types(policy: HeadersPolicy) -> Iterator[_Found]:
    if policy.profile not in get_args(Profile):
        yield "error", "GP150", "profile", "there is no such profile", f"Write one of {', '.join(get_args(Profile))}"
    for name in ("hsts", "csp"):
        if not isinstance(getattr(policy, name), str):
            yield "error", "GP150", name, f"{name} is not text", "Write a text"
    for name in ("hsts_subdomains", "hsts_preload", "locked"):
        if not isinstance(getattr(policy, name), bool):
            yield "error", "GP150", name, f"{name} is neither true nor false", "Write true or false"
    changes: object = policy.set
    if not isinstance(changes, dict) or not all(isinstance(text, str) for pair in changes.items() for text in pair):
        yield "error", "GP150", "set", "set is not a table of texts", 'Write { "field-name" = "value" }'


def _check_hsts(policy: HeadersPolicy) -> Iterator[_Found]:
    remedy = 'Write a duration such as "730d", or "0s"'
    try:
        age = duration(policy.hsts)
    except UsageError:
        yield "error", "GP151", "hsts", f"{policy.hsts[:40]!r} is not a duration", remedy
        return
    if age % SECOND:
        yield "error", "GP151", "hsts", "HSTS counts whole seconds", remedy
    if policy.hsts_preload and (age < _PRELOAD or not policy.hsts_subdomains):
        text = "the preload list takes only a year or more, with subdomains"
        yield "error", "GP152", "hsts_preload", text, 'Set hsts = "730d" and hsts_subdomains = true, or remove it'
    elif 0 < age < 180 * DAY:
        text = "a short HSTS is forgotten between two visits"
        yield "warning", "GP153", "hsts", text, 'Write "730d" once every host answers over https'


def _check_csp(policy: HeadersPolicy) -> Iterator[_Found]:
    value = policy.csp
    if not _is_value(value):
        yield "error", "GP154", "csp", "the policy is not one line of ASCII", "Write it in one line"
    elif value and "frame-ancestors" not in value:
        text = "without frame-ancestors any page may frame the answers"
        yield "warning", "GP155", "csp", text, "Add frame-ancestors 'none'"
    if policy.profile != "docs" and ("'unsafe-inline'" in value or "'unsafe-eval'" in value):
        text = "it lets injected scripts run"
        yield "warning", "GP156", "csp", text, "Move scripts and styles into files of your own"


def _check_set(policy: HeadersPolicy) -> Iterator[_Found]:
    for name, value in policy.set.items():
        lower, place = name.lower(), f"set.{name[:40]}"
        if not lower or not _TOKEN.issuperset(lower):
            yield "error", "GP157", place, "this is no field name", "Write one field name"
        elif lower in OWNED or lower in _FRAMING:
            remedy = "Write it under cors" if lower in OWNED else "Have the handler set it"
            yield "error", "GP158", place, f"{lower} is not for every answer", remedy
        elif lower == "clear-site-data":
            yield "error", "GP158", place, "it would log everybody out with every answer", "Send it at logout"
        elif lower == _CSP and value:
            yield "error", "GP158", place, "it has a name of its own", "Write csp"
        elif not _is_value(value):
            yield "error", "GP157", place, "the value is not one line of ASCII", "Write it in one line"
        elif lower in DISCLOSING and value:
            yield "warning", "GP159", place, "it tells attackers which flaws to try", "Remove it"


def _is_value(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()
