"""The schema for editors: it says what the loader says, and every field has its words."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given

from garrison.policy.file.editor import editor_schema, field_docs, structs
from garrison.policy.file.write import to_toml
from garrison.policy.load import read
from garrison.policy.schema import Policy
from tests.policy.policies import POLICIES

SCHEMA = editor_schema()
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
COPY = Path(__file__).parents[3] / "docs" / "reference" / "garrison.schema.json"


def test_the_copy_in_the_docs_is_current() -> None:
    """`python tools/reference.py` writes it."""
    assert json.loads(COPY.read_text(encoding="utf-8")) == SCHEMA


def test_it_is_a_json_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@given(POLICIES)
def test_editor_underlines_no_policy_that_the_loader_takes(policy: Policy) -> None:
    assert VALIDATOR.is_valid(tomllib.loads(to_toml(policy)))


@pytest.mark.parametrize(
    "text",
    [
        "hots = []",
        "workers = 0",
        'workers = "x"',
        'environment = "staging"',
        'mode = "x"',
        '[routes]\n"GET /a" = { publc = true }',
        '[routes]\n"GET /a" = { credentials = ["x"] }',
        '[cors.WEB]\norigins = ["https://app.example.com"]',
        "[accounts]\nusername_length = [1]",
        "[environments.prod]",
        "[environments.staging]\nworkers = 0",
        "[environments.staging.environments]",
        '[jwt.issuers.corp]\nissuer = "x"',
    ],
)
def test_it_underlines_what_the_loader_refuses(text: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(text))
    assert read(text).policy is None


@pytest.mark.parametrize("struct", [struct.cls for struct in structs()], ids=lambda cls: cls.__name__)
def test_every_field_of_a_policy_is_documented(struct: type) -> None:
    docs = field_docs()[struct.__name__]

    assert docs[""].endswith(".")
    undocumented = [name for name in struct.__struct_fields__ if not docs.get(name)]  # type: ignore[attr-defined]  # a msgspec struct
    assert set(undocumented) <= TABLES


TABLES = {
    "forwarded",
    "secrets",
    "stores",
    "caps",
    "keys",
    "jwt",
    "accounts",
    "audit",
    "operations",
    "overload",
    "abuse",
    "defaults",
}
"""Tables of the whole, which have the words of their struct."""
