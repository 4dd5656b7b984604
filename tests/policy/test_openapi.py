"""OpenAPI documents: every operation, its scopes, and what the document says about credentials."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.policy.draft import draft
from garrison.policy.found import FoundRoute
from garrison.policy.load import read
from garrison.policy.openapi import from_openapi

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://api.example.com/v1/"}],
    "security": [{"key": [], "other": 7}],
    "paths": {
        "/notes": {
            "parameters": [],
            "get": {"summary": "List notes", "security": [{"oauth": ["notes:read", "all"]}, {"key": ["all"]}]},
            "post": {"requestBody": {"content": {"text/csv": {}, 7: {}}}},
            "put": {"requestBody": {"$ref": "#/components/requestBodies/Note"}},
        },
        "/notes/{note-id}": {"delete": {"security": []}, "patch": {"security": [{}, {"key": []}]}, "trace": {}},
        "/export/{id}.csv": {"get": {"summary": 7, "security": "none"}},
        "/{1}": {"get": {}},
        "/broken": None,
    },
}


def test_every_operation_is_found() -> None:
    assert from_openapi(DOCUMENT) == (
        FoundRoute(("GET",), "/v1/notes", ("notes:read", "all"), summary="List notes"),
        FoundRoute(("POST",), "/v1/notes", content=("text/csv",)),
        FoundRoute(("PUT",), "/v1/notes"),
        FoundRoute(("PATCH",), "/v1/notes/{note_id}", public=True),
        FoundRoute(("DELETE",), "/v1/notes/{note_id}", public=True),
        FoundRoute(("GET",), "/v1/export/{id_csv}"),
        FoundRoute(("GET",), "/v1/{p_1}"),
    )


@pytest.mark.parametrize(
    ("servers", "prefix"),
    [
        ({}, ""),
        ({"servers": []}, ""),
        ({"servers": [7]}, ""),
        ({"servers": [{"url": 7}]}, ""),
        ({"servers": [{"url": "/v2"}]}, "/v2"),
        ({"servers": [{"url": "https://example.com"}]}, ""),
        ({"servers": [{"url": "https://example.com/{version}"}]}, ""),
        ({"basePath": "/v3/"}, "/v3"),
    ],
)
def test_the_path_of_the_server_stands_before_all(servers: dict[str, Any], prefix: str) -> None:
    (route,) = from_openapi({"paths": {"/a": {"get": {}}}, **servers})

    assert route.template == f"{prefix}/a"


@pytest.mark.parametrize("document", [None, [], {}, {"paths": []}, "openapi"])
def test_anything_else_is_no_document(document: object) -> None:
    with pytest.raises(UsageError, match="no OpenAPI document"):
        from_openapi(document)


PLAIN = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["get", "post", "security", "summary", "servers", "url", "/a/{b}", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=6), PLAIN, max_size=3),
    st.dictionaries(st.sampled_from(["servers", "security"]), PLAIN),
)
def test_any_document_is_drafted_or_refused(paths: dict[str, Any], more: dict[str, Any]) -> None:
    routes = from_openapi({"paths": paths, **more})

    assert read(draft(routes), "development").policy is not None
