"""Body schemas: every misfit with its place, no other document, no pattern that runs for ever."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.model.fit import MOST_MISFITS
from garrison.policy.body import BodySchema


def schema(source: object) -> BodySchema:
    return BodySchema(json.dumps(source).encode())


TASK = schema(
    {
        "type": "object",
        "required": ["title"],
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]*$"},
            "priority": {"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 6},
            "status": {"enum": ["open", "done"]},
            "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1, "maxItems": 3},
            "owner": {"format": "email"},
            "kind": {"const": "task"},
            "step": {"multipleOf": 0.5},
            "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            "any": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "not": {"not": {"type": "string"}},
            "more": {"type": "object", "minProperties": 1, "maxProperties": 2},
            "has": {"contains": {"const": 1}},
            "names": {"propertyNames": {"maxLength": 2}},
            "high": {"maximum": 5, "exclusiveMinimum": 1},
            "never": False,
        },
    }
)


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"title": 7}, "title", "type"),
        ({"title": ""}, "title", "length"),
        ({"title": "abcdef"}, "title", "length"),
        ({"title": "A"}, "title", "format"),
        ({"priority": 0}, "priority", "range"),
        ({"priority": 6}, "priority", "range"),
        ({"priority": 1.5}, "priority", "type"),
        ({"status": "lost"}, "status", "choice"),
        ({"tags": ["a", 1]}, "tags[1]", "type"),
        ({"tags": ["a", "a"]}, "tags", "rule"),
        ({"tags": []}, "tags", "length"),
        ({"tags": ["a", "b", "c", "d"]}, "tags", "length"),
        ({"owner": "nobody"}, "owner", "format"),
        ({"kind": "x"}, "kind", "choice"),
        ({"step": 0.3}, "step", "range"),
        ({"either": []}, "either", "rule"),
        ({"any": []}, "any", "rule"),
        ({"not": "x"}, "not", "rule"),
        ({"more": {}}, "more", "length"),
        ({"more": {"a": 1, "b": 2, "c": 3}}, "more", "length"),
        ({"has": [2]}, "has", "rule"),
        ({"names": {"abc": 1}}, "names", "rule"),
        ({"high": 6}, "high", "range"),
        ({"high": 1}, "high", "range"),
        ({"never": 1}, "never", "rule"),
        ({"user id": 1}, '"user id"', "unknown"),
    ],
)
def test_a_misfit_is_told_with_its_place(change: dict[str, Any], path: str, code: str) -> None:
    (error,) = TASK.errors({"title": "a", **change})

    assert (error["path"], error["code"]) == (path, code)
    assert error["text"].startswith(("must ", "is ", "does "))


def test_what_fits_has_no_errors() -> None:
    assert TASK.errors({"title": "a", "priority": None, "tags": ["a"], "owner": "ada@example.com"}) == []


def test_all_misfits_are_told_at_once() -> None:
    errors = TASK.errors({"priority": 9, "tags": [1], "x": 1, "y": 2})

    assert {(error["path"], error["code"]) for error in errors} == {
        ("title", "missing"),
        ("priority", "range"),
        ("tags[0]", "type"),
        ("x", "unknown"),
        ("y", "unknown"),
    }


def test_the_text_never_repeats_what_was_sent() -> None:
    sent = "hunter2!"
    errors = TASK.errors({"title": sent, "status": sent, "owner": sent, "kind": sent, "priority": sent})

    assert len(errors) == 6
    assert not any(sent in error["text"] for error in errors)


def test_a_hostile_body_buys_no_endless_answer() -> None:
    assert len(TASK.errors({"title": "a", **{f"x{number}": 1 for number in range(1_000)}})) == MOST_MISFITS
    assert len(schema({"items": {"type": "string"}}).errors([1] * 1_000)) == MOST_MISFITS


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"{", "must be JSON"),
        (b'{"type": "object", "type": "array"}', "each member once"),
        (b'"\xff"', "must be UTF-8"),
        (b"3", "a schema is an object"),
        (b'{"type": "strange"}', "not sound"),
        (b'{"pattern": "("}', "not sound"),
        (b'{"pattern": "(?=a)"}', "not sound"),
        (b'{"pattern": "(a)\\\\1"}', "not sound"),
        (b'{"format": "secret"}', "Unknown format"),
        (b'{"$ref": "#/$defs/none"}', "not sound"),
        (b'{"$ref": "other.json"}', "not sound"),
        (b'{"$ref": "https://example.com/schema.json"}', "Retrieval is disabled"),
        (b'{"$ref": "file:///etc/hostname"}', "Retrieval is disabled"),
        (b'{"$schema": "https://example.com/meta"}', "not sound"),
        (b"[" * 200 + b"]" * 200, "nest at most"),
    ],
)
def test_a_schema_that_is_not_sound_is_refused(source: bytes, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        BodySchema(source)


def test_a_schema_may_refer_to_itself() -> None:
    node = {"properties": {"left": {"$ref": "#/$defs/node"}}, "type": "object"}
    tree = schema({"$ref": "#/$defs/node", "$defs": {"node": node}})

    assert tree.errors({"left": {"left": {}}}) == []
    assert [error["path"] for error in tree.errors({"left": {"left": 3}})] == ["left.left"]


def test_true_and_false_are_schemas() -> None:
    assert schema(True).errors({"any": "thing"}) == []
    assert len(schema(False).errors({})) == 1


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,$reftyp/#', max_size=40).map(str.encode))
def test_any_bytes_are_a_schema_or_a_misuse(source: bytes) -> None:
    try:
        compiled = BodySchema(source)
    except UsageError:
        return
    assert isinstance(compiled.errors({}), list)
