"""Who may log somebody in: listed pages and programs, never the page of an attacker (login CSRF)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from garrison import Garrison
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work
from tests.journeys.places import AsgiPlace

POLICY = """
service = "notes"
hosts = ["api.example.com"]
[accounts]
[defaults]
cors = "web"
[cors.web]
origins = ["https://app.example.com"]
[routes]
"GET /x" = {}
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """The policy at work."""
    with at_work(POLICY) as runtime:
        yield runtime


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Never reached."""
    raise AssertionError


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")], 401),
        ([("origin", "https://api.example.com"), ("sec-fetch-site", "same-origin")], 401),
        ([("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], 403),
        ([("origin", "null")], 403),
        ([("sec-fetch-site", "cross-site")], 403),
        ([("sec-fetch-site", "same-site")], 403),
        ([("origin", "https://evil.example")], 403),
    ],
)
def test_only_listed_pages_and_programs_log_in(
    runtime: Runtime, runner: asyncio.Runner, headers: list[tuple[str, str]], status: int
) -> None:
    place = AsgiPlace(Garrison(nothing, runtime=runtime), runner)
    body = json.dumps({"login": "ada", "password": "correct horse battery"}).encode()

    answer = place.call("POST", "/auth/login", [("content-type", "application/json"), *headers], body)

    assert answer.status == status
