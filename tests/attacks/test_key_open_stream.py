"""A revoked key goes on reading an answer that it has opened before, over WSGI, where nothing can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import RequestFactory, override_settings

from garrison import GarrisonWSGI
from garrison.adapters.wsgi.held import LOOK
from garrison.django import Garrison
from garrison.testing.clock import ManualClock
from tests.adapters.world import at_work, key_of, revoke
from tests.journeys.places import configure_django

POLICY = """
service = "notes"

[routes]
"GET /feed" = { credentials = ["key"], limit = "99/s per key" }
"""


def _endless() -> Iterator[bytes]:
    while True:
        yield b"news"


def _app(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    return _endless()


def _begin(*_: Any) -> Any:
    """Take the head of an answer."""


def _wsgi(runtime: Any, environ: Any) -> Iterator[bytes]:
    return iter(GarrisonWSGI(_app, runtime=runtime)(environ, _begin))


def _django(runtime: Any, environ: Any) -> Iterator[bytes]:
    guard = Garrison(lambda _: StreamingHttpResponse(_endless()))
    request = RequestFactory().get("/feed", HTTP_HOST="localhost", HTTP_X_API_KEY=environ["HTTP_X_API_KEY"])
    return iter(guard(request))


@pytest.mark.parametrize("place", [_wsgi, _django])
def test_a_stream_is_cut_within_a_second(place: Any) -> None:
    """Cut, not ended: nobody shall take what came for the whole answer."""
    configure_django()
    clock = ManualClock()
    with at_work(POLICY, clock) as runtime, override_settings(GARRISON_RUNTIME=runtime):
        key = key_of(runtime, "ada")
        environ = RequestFactory().get("/feed", HTTP_HOST="localhost", HTTP_X_API_KEY=key[1]).environ
        pieces = place(runtime, environ)
        for _ in range(3):
            clock.advance(LOOK)
            assert next(pieces) == b"news"
        revoke(runtime, key)
        assert next(pieces) == b"news", "between two looks it goes on"
        clock.advance(LOOK)

        with pytest.raises(ConnectionAbortedError):
            next(pieces)
