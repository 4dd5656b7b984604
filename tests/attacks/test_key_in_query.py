"""A key in the query stands in logs, histories and `Referer` fields; it is refused, and said to be exposed."""

from __future__ import annotations

import pytest

from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from tests.credentials.world import World


def _ask(query: str, *, header: str = "") -> tuple[Principal | Refusal | None, str]:
    world = World()
    issued = world.make()
    lines = [(b"x-api-key", issued.text.encode())] if header else []
    request = Request("GET", "/notes/7", lines, query=query.format(key=issued.text).encode())
    if world.keys.find(request) is None:
        return None, issued.record.id
    return world.judge(request), issued.record.id


@pytest.mark.parametrize(
    "query", ["key={key}", "a=1&api_key={key}&b=2", "{key}", "x-api-key={key}", "k=Bearer%20{key}", "k=%22{key}%22"]
)
@pytest.mark.parametrize("header", ["", "too"])
def test_it_is_refused_under_every_name_even_beside_the_header(query: str, header: str) -> None:
    refusal, id = _ask(query, header=header)

    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.reason, refusal.subject) == (401, "key_in_query", f"key:{id}")


def test_percent_encoded_it_is_no_less_exposed() -> None:
    world = World()
    issued = world.make()
    query = issued.text.replace("_", "%5F").replace("s", "%73").encode()

    refusal = world.judge(Request("GET", "/", [], query=b"key=" + query))

    assert isinstance(refusal, Refusal)
    assert refusal.reason == "key_in_query"


@pytest.mark.parametrize("query", ["", "q=grsn_", "q=grsn_sk_live_abc", "page=2"])
def test_what_only_looks_like_one_is_left_alone(query: str) -> None:
    """A search for the brand is no key; the checksum decides."""
    assert _ask(query)[0] is None
    assert isinstance(_ask(query, header="it")[0], Principal)


def test_the_answer_does_not_repeat_it() -> None:
    refusal, _ = _ask("key={key}")

    assert "grsn_" not in repr(refusal)
