"""Row 17 of the chapter: input validation by rules, and text made safe to show.

A route of a policy says the same with `body = "schema.json"`, and an application with msgspec or pydantic; these
functions are for code that has neither.

Where we do better than the chapter, on purpose: patterns match the whole text (`$` lets a newline through), True is
no number, and nothing is cut out of what a user wrote: it is stored as given and encoded where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from garrison.errors import UsageError
from garrison.handbook.arguments import checked, fits

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["sanitize_input", "validate_input"]

_RULES: dict[str, Any] = {
    "required": bool,
    "type": type | tuple[type, ...],
    "min_length": int,
    "max_length": int,
    "pattern": str,
    "validator": Callable,
}
"""What a rule may say, and what stands there; None: as if it were left out."""

_CONTROLS = {code: None for code in (*range(32), 127) if chr(code) not in "\t\n\r"}


@checked
def validate_input(
    data: object, rules: Mapping[str, Mapping[str, Any]], *, allow_unknown: bool = True
) -> tuple[bool, list[str]]:
    """Check fields against rules, all of them at once.

    Args:
        data: The decoded body, whatever it is.
        rules: For each field any of `required` (bool), `type` (a type, or a tuple of them), `min_length`,
            `max_length`, `pattern` (must match the whole text), `validator` (called with the value; falsy refuses).
        allow_unknown: Whether fields without a rule are let through.

    Returns:
        Whether everything fits, and one sentence for each mistake, beginning with the field's name.

    Raises:
        UsageError: A rule says something that no rule can say; a misspelt one would let everything through.
    """
    for name, rule in rules.items():
        _demand(name, rule)
    if not isinstance(data, Mapping):
        return False, ["data must be a table of fields"]
    errors = [f"{name} {mistake}" for name, rule in rules.items() for mistake in _mistakes(data.get(name), rule)]
    if not allow_unknown:
        errors += [f"{name} is not known here" for name in data if name not in rules]
    return not errors, errors


def _demand(name: str, rule: Mapping[str, Any]) -> None:
    """Refuse a rule that a programmer got wrong."""
    for word, said in rule.items():
        if word not in _RULES or not (said is None or fits(said, _RULES[word])):
            msg = f"the rule of {name!r} cannot say {word} = {said!r:.40}; a rule has {', '.join(_RULES)}"
            raise UsageError(msg)
    try:
        re.compile(rule.get("pattern") or "")
    except re.error as error:
        msg = f"the pattern of {name!r} is none: {error}"
        raise UsageError(msg) from error


def _mistakes(value: Any, rule: Mapping[str, Any]) -> Iterator[str]:
    if value is None:
        if rule.get("required"):
            yield "is required"
        return
    wanted = rule.get("type")
    if wanted is not None and not _is_a(value, wanted if isinstance(wanted, tuple) else (wanted,)):
        names = " or ".join(each.__name__ for each in (wanted if isinstance(wanted, tuple) else (wanted,)))
        yield f"must be of type {names}"
        return
    shortest, longest = rule.get("min_length"), rule.get("max_length")
    if not (shortest is None and longest is None) and not hasattr(value, "__len__"):
        yield "has no length"
    elif shortest is not None and len(value) < shortest:
        yield f"must be at least {shortest} long"
    elif longest is not None and len(value) > longest:
        yield f"must be at most {longest} long"
    pattern = rule.get("pattern")
    if pattern is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
        yield "does not have the right form"
    validator = rule.get("validator")
    if validator is not None and not validator(value):
        yield "is not valid"


def _is_a(value: Any, wanted: tuple[type, ...]) -> bool:
    """Tell whether a value is of one of the types; a bool counts as int nowhere but in Python."""
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))


def sanitize_input(data: Any) -> Any:
    """Encode text for a place in HTML: `<b>` becomes `&lt;b&gt;`, and is shown as it was written.

    Call it where the text is shown, not where it is stored: encoded twice, it shows its own encoding. Control
    characters, which HTML cannot hold, are left out. Lists and dictionaries are encoded inside, keys included.

    Raises:
        UsageError: Something else than text, numbers, true, false and null: what it shows as could be markup.
    """
    if isinstance(data, str):
        return escape(data.translate(_CONTROLS), quote=True)
    if isinstance(data, (list, tuple)):
        return [sanitize_input(each) for each in data]
    if isinstance(data, dict):
        return {sanitize_input(name): sanitize_input(value) for name, value in data.items()}
    if data is None or isinstance(data, (bool, int, float)):
        return data
    msg = f"a {type(data).__name__} cannot be encoded; give its text"
    raise UsageError(msg)
