"""A field name with an underscore becomes the variable of the one with a dash: a forged proxy header, a second key.

CGI's naming (RFC 3875 section 4.1.18) cannot tell `X_API_Key` from `X-API-Key`, so the former never gets in.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import folder, policy
from tests.cli.serving.world import served

__all__ = ["folder", "policy"]

APP = """\
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [environ.get("HTTP_X_FORWARDED_FOR", "nobody").encode()]
"""


@pytest.mark.parametrize(
    ("field", "told"),
    [("x_forwarded_for", b"nobody"), ("X_Forwarded_For", b"nobody"), ("x-forwarded-for", b"10.0.0.1")],
)
def test_only_the_field_with_dashes_arrives(policy: Path, field: str, told: bytes) -> None:
    Path("main.py").write_text(APP, "utf-8")
    with served() as server:
        connection = server.connection()
        connection.putrequest("GET", "/health")
        connection.putheader(field, "10.0.0.1")
        connection.endheaders()
        answer = connection.getresponse().read()
        connection.close()

    assert answer == told
