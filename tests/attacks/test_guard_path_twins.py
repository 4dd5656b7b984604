"""Two spellings of one path: a trailing slash, another case, a dot, an encoded letter. The guard knows one of them.

What the guard lets through must be the spelling the application routes by, else a demand is stepped around.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of
from tests.journeys.places import Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[routes]
"GET /plain" = { scopes = ["notes:read"] }
"GET /notes/{number}" = { scopes = ["notes:read"], own = true }
"GET /open/{page}" = { public = true }
"""
TWINS = [
    "/plain/",
    "/PLAIN",
    "/Plain",
    "/plaın",
    "/plain.",
    "/plain.json",
    "/plain%20",
    "/plain%09",
    "/./plain",
    "/x/../plain",
    "/open/%2e%2e/plain",
    "/open/..%2fplain",
    "/open/..;/plain",
    "/open/..%5cplain",
    "/open/x%2f..%2f..%2fplain",
    "//plain",
    "/%2fplain",
    "/plain%00",
    "/plain;jsessionid=1",
    "/plain%3f",
    "/plain%23",
    "/plain//",
    "/%70lain%2f",
    "/%C0%AFplain",
    "/plain\\",
]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Routes with and without a demand."""
    with at_work(POLICY) as runtime:
        yield runtime


def test_a_twin_of_a_path_reaches_nothing(place: Place, runtime: Runtime) -> None:
    """With every right and with none: 400 where it can be read in two ways, 404 where nobody listed it."""
    key = key_of(runtime, "ada", "notes:read")

    for path, headers in product(TWINS, ([], [key])):
        answer = place.call("GET", path.encode().decode("latin-1"), headers)
        assert answer.status in (400, 404), path
        assert answer.code in ("path_ambiguous", "route_unknown")
        assert answer.header("location") is None


@pytest.mark.parametrize("path", ["/%70lain", "/%70%6c%61%69%6e"])
def test_an_encoded_letter_is_the_letter_for_both(place: Place, runtime: Runtime, path: str) -> None:
    """RFC 3986 section 6.2.2.2: these are equal, so the demand must hold for each."""
    answers = [place.call("GET", path, headers) for headers in ([], [key_of(runtime, "ada", "notes:read")])]

    assert [answer.status for answer in answers] in ([401, 200], [400, 400])


def test_no_spelling_of_a_number_opens_anothers_note(place: Place, runtime: Runtime) -> None:
    """What the application reads out of the path is what ownership is proved for."""
    key = key_of(runtime, "ada", "notes:read")

    for number in ("2", "%32", "02", "2%20", "2.0", "２"):
        answer = place.call("GET", f"/notes/{number}".encode().decode("latin-1"), [key])
        assert answer.status in (400, 404), number
        assert b"bob" not in answer.body
