"""Write the reference of the policy from the code: its fields, its rules, and the schema for editors.

`python tools/reference.py` writes the pages; with `--check` it writes nothing and exits with 1 when one is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as kinds

from garrison.policy.file.editor import editor_schema, field_docs, structs
from garrison.policy.file.write import inline
from garrison.policy.lint import RULES, THEMES, Rule
from garrison.policy.notation import NOTATIONS

__all__ = ["main", "pages"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Written by tools/reference.py; change the code and run it again. -->"

TITLES = {
    "Policy": "The top of the file",
    "Forwarded": "[forwarded]",
    "Secrets": "[secrets]",
    "Stores": "[stores]",
    "Caps": "[caps]",
    "Keys": "[keys]",
    "Jwt": "[jwt]",
    "Issuer": "[jwt.issuers.NAME]",
    "Accounts": "[accounts]",
    "Audit": "[audit]",
    "Defaults": "[defaults]",
    "Cors": "[cors.NAME]",
    "Headers": "[headers.NAME]",
    "Route": '[routes]: "METHOD /path" = { … }',
    "All": "credentials = { all = […] }",
    "Requirement": "require = { … }",
}
"""Struct -> where it stands in the file."""

READER = (
    ("GP001", "The file cannot be read, is not UTF-8 or not TOML."),
    ("GP002", "A name is not known where it stands."),
    ("GP003", "A member is missing."),
    ("GP004", "A value is of the wrong kind, or out of its bounds."),
    ("GP005", "A value is not in its notation."),
    ("GP074", "A `dangerously_` switch is turned on while serving in production; only a restart may do that."),
)
"""What the loader says before any rule looks at the policy."""


def pages() -> dict[str, str]:
    """Give every page by its file name."""
    return {
        "policy.md": "\n".join(_policy()) + "\n",
        "lint.md": "\n".join(_lint()) + "\n",
        "garrison.schema.json": json.dumps(editor_schema(), indent=1, ensure_ascii=False) + "\n",
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; give the exit status."""
    stale = [name for name, text in pages().items() if not _holds(FOLDER / name, text)]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is stale: run python tools/reference.py")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(pages()[name], encoding="utf-8")
    return 0


def _holds(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


def _policy() -> Iterator[str]:
    """The page of the fields."""
    yield from ("# The policy file", "", MADE, "")
    yield "`garrison.toml` and `garrison.Policy(...)` have the same names; whatever is not known is refused."
    yield "Tables under `[environments.development]`, `[environments.staging]` and `[environments.production]` are laid"
    yield "over the rest in that environment: tables member by member, anything else replaced. Editors complete the"
    yield "file with [the schema](garrison.schema.json); `garrison schema` prints it."
    yield from ("", "## Notations", "", "| notation | example |", "|---|---|")
    for notation in NOTATIONS.values():
        yield f"| {notation.words} | `{notation.example}` |"
    for struct in sorted(structs(), key=lambda each: list(TITLES).index(each.cls.__name__)):
        yield from _struct(struct)


def _struct(struct: kinds.StructType) -> Iterator[str]:
    docs = field_docs()[struct.cls.__name__]
    yield from ("", f"## {TITLES[struct.cls.__name__]}", "", docs[""], "")
    if struct.cls.__name__ == "Defaults":
        yield "The fields are those of a route, below."
        return
    yield from ("| field | is | left out | |", "|---|---|---|---|")
    for field in struct.fields:
        if field.name == "environment" and struct.cls.__name__ == "Policy":
            continue  # set from outside
        text = " ".join(docs.get(field.name, "").split()) or "A table of its own, below."
        yield f"| `{field.name}` | {_kind(field.type)} | {_left_out(field)} | {_cell(text)} |"


def _kind(part: Any) -> str:
    """Name a type in the words of the file."""
    match part:
        case kinds.Metadata():
            return NOTATIONS[(part.extra or {})["notation"]].words
        case kinds.StructType():
            return "table"
        case kinds.UnionType():
            words = [_kind(member) for member in part.types if not isinstance(member, kinds.NoneType)]
            return " or ".join(dict.fromkeys(words))
        case kinds.DictType():
            return f"table, each a {_kind(part.value_type)}".replace("a text", "text")
        case kinds.VarTupleType():
            return f"list, each a {_kind(part.item_type)}".replace("a text", "text")
        case kinds.TupleType():
            return f"list of {len(part.item_types)}, each a {_kind(part.item_types[0])}"
        case kinds.LiteralType():
            return " or ".join(f"`{inline(value)}`" for value in part.values)
        case kinds.IntType():
            return f"whole number {_bounds(part)}".strip()
        case kinds.BoolType():
            return "`true` or `false`"
    return "text"


def _bounds(part: kinds.IntType) -> str:
    if part.le is not None:
        return f"from {part.ge} to {part.le}"
    return f"from {part.ge}" if part.ge is not None else ""


def _left_out(field: kinds.Field) -> str:
    if field.required:
        return "refused"
    if field.default in (None, "", msgspec.NODEFAULT) or isinstance(field.default, msgspec.Struct):
        return ""
    return f"`{_cell(inline(field.default))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _lint() -> Iterator[str]:
    """The page of the rules."""
    yield from ("# What the linter says", "", MADE, "")
    yield "`garrison check` and every start apply these rules to the policy. An error refuses it; a warning is shown"
    yield "and lets it pass. Each problem has a number, a line, what is wrong and what to write instead. A number is"
    yield "never used again. Numbers from GP101 are about CORS, from GP150 about header fields."
    yield from ("", "## Reading", "", "| number | |", "|---|---|")
    yield from (f"| {number} | {text} |" for number, text in READER)
    for theme in THEMES:
        title = (theme.__doc__ or "").partition("\n")[0].removeprefix("Rules about ").rstrip(".")
        yield from ("", f"## {title[:1].upper()}{title[1:]}")
        for rule in RULES.values():
            if rule.judge.__module__ == theme.__name__:
                yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    where = "" if rule.bad.environment == "production" else f" (in {rule.bad.environment})"
    yield from ("", f"### {rule.number}: {rule.title}", "", f"{rule.severity.capitalize()}. {rule.why}", "")
    yield from (f"Broken{where}:", "", "```toml", rule.bad.text.strip(), "```", "")
    where = "" if rule.good.environment == "production" else f" (in {rule.good.environment})"
    yield from (f"Kept{where}:", "", "```toml", rule.good.text.strip(), "```")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
