"""`garrison schema` prints what an editor completes from."""

from __future__ import annotations

import tomllib

import jsonschema_rs

from tests.cli.conftest import POLICY, Cli


def test_the_schema_accepts_a_policy_and_finds_a_misspelt_member(cli: Cli) -> None:
    schema = cli("schema").json
    validator = jsonschema_rs.Draft202012Validator(schema)

    assert validator.is_valid(tomllib.loads(POLICY))
    assert not validator.is_valid({"sevice": "x"})
    assert cli("schema", "--json").json == schema
