"""A slip of the pen in a policy opens nothing: it is refused with its line, never ignored.

A gate whose file has `publc = false` or `socpes = [...]` and starts all the same is a gate that stands open.
"""

from __future__ import annotations

import pytest

from garrison.errors import PolicyError
from garrison.policy.load import load

SOUND = """
[defaults]
credentials = ["key", "jwt"]
limit = "50/s burst 500 per principal"
[routes]
"GET /health" = { public = true, limit = "10/s per address" }
"GET /admin/{page}" = { scopes = ["admin:read"], own = false }
[environments.staging.defaults]
mode = "observe"
"""
SLIPS = [
    ('scopes = ["admin:read"]', 'socpes = ["admin:read"]'),
    ('scopes = ["admin:read"]', 'scopes = "admin:read"'),
    ('scopes = ["admin:read"]', 'scopes = ["admin: read"]'),
    ('scopes = ["admin:read"]', 'scopes = ["*"]'),
    ('scopes = ["admin:read"]', 'scopes = [["admin:read"]]'),
    ('"GET /admin/{page}"', '"GET/admin/{page}"'),
    ('"GET /admin/{page}"', '"get /admin/{page}"'),
    ('"GET /admin/{page}"', '"GET /admin/*"'),
    ('"GET /admin/{page}"', '"GET /admin/{page"'),
    ('"GET /admin/{page}"', '"GET /admin/[^/]+"'),
    ('"GET /admin/{page}"', '"GET|Post /admin/{page}"'),
    ("public = true", 'public = "false"'),
    ("public = true", "public = 1"),
    ("public = true", "Public = true"),
    ("own = false", 'own = "no"'),
    ('["key", "jwt"]', '["key", "jwtt"]'),
    ('["key", "jwt"]', '"key"'),
    ('["key", "jwt"]', "{ any = ['key'] }"),
    ("50/s burst 500 per principal", "50/s bursts 500 per principal"),
    ("50/s burst 500 per principal", "50 / s"),
    ("50/s burst 500 per principal", "50/s per user"),
    ("50/s burst 500 per principal", ""),
    ("[defaults]", "[default]"),
    ("[routes]", "[route]"),
    ("[environments.staging.defaults]", "[environments.stage.defaults]"),
    ("[environments.staging.defaults]", "[environment.staging.defaults]"),
    ("[environments.staging.defaults]", "[staging.defaults]"),
    ('mode = "observe"', 'mode = "Observe"'),
]


@pytest.mark.parametrize(("right", "wrong"), SLIPS)
def test_a_slip_is_refused_with_its_line(right: str, wrong: str) -> None:
    assert right in SOUND

    with pytest.raises(PolicyError) as caught:
        load(SOUND.replace(right, wrong))

    lines = {number for number, line in enumerate(SOUND.split("\n"), 1) if right in line}
    assert all(problem.remedy and problem.line for problem in caught.value.problems)
    assert lines & {problem.line for problem in caught.value.problems}


def test_without_a_slip_it_loads() -> None:
    assert len(load(SOUND).routes) == 2
