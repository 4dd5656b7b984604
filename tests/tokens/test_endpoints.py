"""Where others read our public keys."""

from __future__ import annotations

import json
import os
from typing import Any

from garrison.guard.drive import drive
from garrison.model.http.endpoint import Call
from garrison.model.http.request import Request
from garrison.model.http.response import Response
from garrison.model.principal import ANONYMOUS
from garrison.tokens.endpoints import ENDPOINTS
from garrison.tokens.jwks import MAX_AGE, Jwks
from garrison.tokens.keys import SigningKeys
from tests.tokens.world import RING, Deployment, Publisher


def test_the_key_set_is_public_and_may_be_cached_for_as_long_as_we_cache_others() -> None:
    """And our own client reads it."""
    process = Deployment().process()
    signing = SigningKeys(process.records, RING, process.news)
    drive(signing.advance(process.now, os.urandom))
    [endpoint] = ENDPOINTS
    call = Call(
        request=Request("GET", endpoint.path, []), principal=ANONYMOUS, address="", now=process.now, correlation=""
    )

    answer: Any = drive(endpoint.run(call, signing))  # type: ignore[arg-type]  # it is a coroutine

    assert isinstance(answer, Response)
    assert answer.status == 200
    assert (endpoint.method, endpoint.path) == ("GET", "/.well-known/jwks.json")
    assert endpoint.demands["public"] is True
    assert dict(answer.headers)[b"cache-control"] == f"public, max-age={MAX_AGE // 1_000_000}".encode()
    assert [key["kid"] for key in json.loads(answer.body)["keys"]] == [signing.keys.signer().kid]
    reader = Jwks("https://id.example.com/.well-known/jwks.json", Publisher(answer.body))
    drive(reader.refresh(0))
    assert signing.keys.signer().kid in reader.keys
