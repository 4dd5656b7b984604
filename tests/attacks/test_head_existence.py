"""HEAD shows no body, so it is forgotten: a stranger asks with it what exists, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of
from tests.journeys.places import Answer, Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[routes]
"GET /notes/{number}" = { scopes = ["notes:read"], own = true, limit = "4/m per principal" }
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Notes have owners, and few are read in a minute."""
    with at_work(POLICY) as runtime:
        yield runtime


def _facts(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """What a caller can tell two answers apart by, but for the name and the count of the request."""
    told = {name.lower(): value for name, value in answer.headers}
    return answer.status, answer.body, {k: v for k, v in told.items() if k not in {"x-request-id", "ratelimit"}}


def test_anothers_note_is_like_a_missing_one(place: Place, runtime: Runtime) -> None:
    key = key_of(runtime, "ada", "notes:read")
    anothers, missing = place.call("HEAD", "/notes/2", [key]), place.call("HEAD", "/notes/99", [key])

    assert anothers.status == 404
    assert _facts(anothers) == _facts(missing)
    assert place.call("HEAD", "/notes/1", [key]).status == 200


def test_it_asks_for_what_get_asks_for_and_pays_as_much(place: Place, runtime: Runtime) -> None:
    """Neither a right nor a limit is got round by another word for reading."""
    key, stranger = key_of(runtime, "ada", "notes:read"), key_of(runtime, "eve", "other:read")

    assert place.call("HEAD", "/notes/1").status == 401
    assert place.call("HEAD", "/notes/1", [stranger]).status == 403
    asked = [place.call(method, "/notes/1", [key]).status for method in ("GET", "HEAD", "GET", "HEAD", "HEAD", "GET")]
    assert asked == [200] * 4 + [429] * 2
