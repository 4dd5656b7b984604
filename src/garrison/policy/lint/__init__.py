"""Rules that look at the whole policy: fields that are right alone and wrong together.

Rules live in files by theme. Each is a small function with its number, its severity and two examples; the page
`docs/reference/lint.md` and the tests are made from them.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from garrison.errors import Problem
from garrison.model.fit import path_text
from garrison.policy.lint import (
    access,
    accounts,
    fleet,
    headers,
    limits,
    network,
    origins,
    routes,
    running,
    scopes,
    tokens,
)
from garrison.policy.lint.rule import RULES, Example, Facts, Files, Found, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.file.holes import Holes
    from garrison.policy.schema import Policy
    from garrison.policy.table import Rows

__all__ = ["RULES", "THEMES", "Example", "Facts", "Files", "Found", "Rule", "lint"]

THEMES = (routes, access, scopes, limits, fleet, origins, headers, tokens, accounts, network, running)
"""The modules that hold the rules, in the order of the reference page."""


def lint(
    policy: Policy, endpoints: Rows = (), files: Files | None = None, holes: Holes = frozenset()
) -> tuple[Problem, ...]:
    """Apply every rule to a policy whose notations are right.

    Args:
        policy: What to judge.
        endpoints: Endpoints of Garrison's own, which count as routes.
        files: Reads the files that the policy names; None: they are not looked at.
        holes: Places where something else was written, which could not be read; nothing that hangs on them is said.

    Returns:
        Errors and warnings, without lines; `garrison.policy.load.read` fills those in.
    """
    facts = Facts(policy, endpoints, files, holes)
    found = chain.from_iterable(_judged(rule, facts) for rule in RULES.values())
    return (*found, *origins.of_cors(facts), *headers.of_headers(facts))


def _judged(rule: Rule, facts: Facts) -> Iterator[Problem]:
    facts.looks.seen.clear()
    for path, text, remedy in rule.judge(facts):
        if not facts.looks.doubt(path):
            yield Problem(rule.number, path_text(path), 0, text, remedy, rule.severity)
