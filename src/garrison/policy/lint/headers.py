"""Rules about the security header fields of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from garrison.headers import check
from garrison.model.units import DAY, duration
from garrison.policy.file.problem import meant
from garrison.policy.lint.rule import Found, rule
from garrison.policy.schema import Profile
from garrison.policy.table import headers_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.errors import Problem
    from garrison.model.fit import Path
    from garrison.policy.lint.rule import Facts

__all__ = ["of_headers"]

_BUILT_IN: tuple[str, ...] = get_args(Profile)
_PROTECTING = frozenset(
    (
        "content-security-policy",
        "cross-origin-resource-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
    )
)


@rule(
    "GP068",
    "error",
    bad='[defaults]\nheaders = "htlm"',
    good='[defaults]\nheaders = "html"',
)
def _unknown(facts: Facts) -> Iterator[Found]:
    """A route names a header profile that there is not.

    Its answers would go out without security headers.
    """
    known = tuple(dict.fromkeys((*facts.policy.headers, *_BUILT_IN)))
    stated: list[tuple[Path, str | None]] = [(("defaults", "headers"), facts.policy.defaults.headers)]
    stated += [(("routes", name, "headers"), route.headers) for name, route in facts.policy.routes.items()]
    for path, name in stated:
        if name is not None and name not in known:
            yield Found(path, f"there is no [headers.{name}]", meant(name, known))


@rule(
    "GP069",
    "warning",
    bad='[headers.site]\nprofile = "html"',
    good='[headers.site]\nprofile = "html"\n[defaults]\nheaders = "site"',
)
def _unused(facts: Facts) -> Iterator[Found]:
    """No route names a header profile.

    What it sets is sent nowhere.
    """
    used = {facts.policy.defaults.headers or "api", *(row.whole.headers for row in facts.rows)}
    for name in facts.policy.headers:
        if name not in used:
            yield Found(("headers", name), "is named by no route", f'Write headers = "{name}" where it is meant')


@rule("GP070", "warning", bad='[headers.api]\nhsts = "0s"', good='[headers.api]\nhsts = "730d"')
def _hsts(facts: Facts) -> Iterator[Found]:
    """Browsers are not told to insist on https in production, or for less than a year.

    A first visit over http, on a strange network, can be answered by anybody (RFC 6797).
    """
    for name, headers in facts.policy.headers.items():
        if facts.production and duration(headers.hsts) < 365 * DAY:
            yield Found(("headers", name, "hsts"), "is less than a year", 'Write "730d"')


@rule(
    "GP071",
    "warning",
    bad='[headers.api]\nset = { "x-content-type-options" = "" }',
    good='[headers.api]\nset = { "permissions-policy" = "camera=()" }',
)
def _left_out(facts: Facts) -> Iterator[Found]:
    """A protecting header field is left out.

    The profiles send only what each protects against a known attack.
    """
    for name, headers in facts.policy.headers.items():
        for field, value in headers.set.items():
            if field.lower() in _PROTECTING and not value:
                yield Found(("headers", name, "set", field), "leaves a protecting field out", "Remove the line")


def of_headers(facts: Facts) -> Iterator[Problem]:
    """Give the problems that `garrison.headers` finds in each profile, numbers GP150 and up."""
    for name, headers in facts.plain.headers.items():
        problems = check(headers_policy(headers), f"headers.{name}")
        yield from (problem for problem in problems if not facts.looks.inside(problem.path))
