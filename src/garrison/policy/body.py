"""A route's body schema: JSON Schema from a file, compiled once, every misfit reported with its place.

The schema stands alone: a reference to another document is a mistake, because fetching one would let whoever
serves it decide what is valid here. Patterns run on an engine whose time is linear in the text, so that no
body makes one backtrack for ever; look-around and back-references are refused with the schema.

Sources: JSON Schema 2020-12 (drafts 4, 6, 7 and 2019-09 where `$schema` says so).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
from jsonschema_rs import RegexOptions

from garrison.errors import UsageError
from garrison.model.fit import MOST_MISFITS, Misfit
from garrison.model.http.body import decode
from garrison.model.http.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema_rs import ValidationError

__all__ = ["BodySchema"]

_DEEPEST_SCHEMA = 128
_LARGEST_SCHEMA = 100_000
"""Members and elements of a schema file; a schema is written by people."""


class BodySchema:
    """A compiled schema."""

    __slots__ = ("_validator", "source")

    def __init__(self, source: bytes) -> None:
        """Compile a schema.

        Args:
            source: The file, UTF-8 JSON.

        Raises:
            UsageError: It is no JSON, no valid schema, refers to another document, or has a pattern with
                look-around or back-references.
        """
        schema = decode(source, depth=_DEEPEST_SCHEMA, fields=_LARGEST_SCHEMA)
        if isinstance(schema, Refusal):
            raise UsageError(f"the schema {schema.members['errors'][0]['text']}")
        if not isinstance(schema, (dict, bool)):
            raise UsageError("a schema is an object")
        self.source = source
        self._validator = _compiled(schema)

    def errors(self, value: Any) -> list[dict[str, str]]:
        """Tell what about a decoded body does not fit: path, text and code of each misfit, at most 100.

        The texts name the rule and never repeat what was sent.
        """
        if self._validator.is_valid(value):
            return []
        found: list[dict[str, str]] = []
        for failure in self._validator.iter_errors(value):
            found += _told(failure)
            if len(found) >= MOST_MISFITS:
                break
        return found[:MOST_MISFITS]


def _compiled(schema: dict[str, Any] | bool) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(
            schema,
            validate_formats=True,
            # A format that nobody checks looks like one that somebody does.
            ignore_unknown_formats=False,
            offline=True,
            pattern_options=RegexOptions(),
        )
    except (ValueError, jsonschema_rs.ReferencingError) as failure:
        first = str(failure).partition("\n")[0]
        raise UsageError(f"the schema is not sound: {first[:300]}") from failure


_WORDS = {
    "minLength": ("length", "must have at least {limit} characters"),
    "maxLength": ("length", "must have at most {limit} characters"),
    "minItems": ("length", "must have at least {limit} elements"),
    "maxItems": ("length", "must have at most {limit} elements"),
    "minProperties": ("length", "must have at least {limit} members"),
    "maxProperties": ("length", "must have at most {limit} members"),
    "minimum": ("range", "must be at least {limit}"),
    "maximum": ("range", "must be at most {limit}"),
    "exclusiveMinimum": ("range", "must be more than {limit}"),
    "exclusiveMaximum": ("range", "must be less than {limit}"),
    "multipleOf": ("range", "must be a multiple of {multiple_of}"),
    "pattern": ("format", "must look like {pattern}"),
    "format": ("format", "must be written as {format}"),
    "uniqueItems": ("rule", "must not have an element twice"),
    "const": ("choice", "must be the one value that is allowed"),
    "contains": ("rule", "must contain an element that is demanded"),
    "anyOf": ("rule", "must fit one of the forms that are allowed"),
    "oneOf": ("rule", "must fit exactly one of the forms that are allowed"),
    "not": ("rule", "must not be of a form that is forbidden"),
}
"""Keyword -> code and what the sender reads; the codes are those of `garrison.model.fit.Misfit`."""


def _told(failure: ValidationError) -> Iterator[dict[str, str]]:
    path = tuple(failure.instance_path)
    kind = failure.kind
    keyword = kind.name
    if keyword == "required":
        yield _error((*path, kind.as_dict()["property"]), "is missing", "missing")
    elif keyword in ("additionalProperties", "unevaluatedProperties"):
        for name in kind.as_dict()["unexpected"]:
            yield _error((*path, name[:100]), "is not known here", "unknown")
    elif keyword == "type":
        yield _error(path, "must be " + " or ".join(kind.as_dict()["types"]), "type")
    elif keyword == "enum":
        offers = ", ".join(str(offer) for offer in kind.as_dict()["options"][:20])
        yield _error(path, f"must be one of {offers}", "choice")
    else:
        code, text = _WORDS.get(keyword, ("rule", "does not fit the schema"))
        yield _error(path, text.format(**kind.as_dict()), code)


def _error(path: tuple[str | int, ...], text: str, code: str) -> dict[str, str]:
    return Misfit(path, code, text).row
