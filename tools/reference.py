"""Write what the documentation can take from the code: policy, rules, schema, refusals, attacks, figures.

`python tools/reference.py` writes the pages; with `--check` it writes nothing and exits with 1 when one is stale.
`python tools/reference.py --figures FILE` also takes new figures from a file that `python -m benchmarks --json FILE`
has written.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as kinds

from garrison import handbook
from garrison.model.http.identity import TOLD_BY
from garrison.model.http.refusal import REFUSALS
from garrison.policy.file.editor import editor_schema, field_docs, structs
from garrison.policy.file.write import inline
from garrison.policy.lint import RULES, THEMES, Rule
from garrison.policy.notation import NOTATIONS

__all__ = ["main", "pages"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
README = ROOT / "README.md"
FIGURES = FOLDER / "figures.json"
ATTACKS = ROOT / "tests" / "attacks"
MADE = "<!-- Written by tools/reference.py; change the code and run it again. -->"

TITLES = {
    "Policy": "The top of the file",
    "Forwarded": "[forwarded]",
    "Secrets": "[secrets]",
    "Stores": "[stores]",
    "Caps": "[caps]",
    "Overload": "[overload]",
    "Keys": "[keys]",
    "Jwt": "[jwt]",
    "Issuer": "[jwt.issuers.NAME]",
    "Accounts": "[accounts]",
    "Audit": "[audit]",
    "Operations": "[operations]",
    "Abuse": "[abuse]",
    "Weights": "[abuse.weights]",
    "Defaults": "[defaults]",
    "Cors": "[cors.NAME]",
    "Headers": "[headers.NAME]",
    "Route": '`[routes]`: `"METHOD /path" = { … }`',
    "All": "`credentials = { all = […] }`",
    "Requirement": "`require = { … }`",
}
"""Struct -> where it stands in the file."""

READER = (
    ("GP001", "The file cannot be read, is not UTF-8 or not TOML."),
    ("GP002", "A name is not known where it stands."),
    ("GP003", "A member is missing."),
    ("GP004", "A value is of the wrong kind, or out of its bounds."),
    ("GP005", "A value is not in its notation."),
    ("GP072", "A field that holds until the next start is changed while serving; nothing of the change is in force."),
    ("GP074", "A `dangerously_` switch is turned on while serving in production; only a restart may do that."),
)
"""What the loader says before any rule looks at the policy."""


IN_README = (
    "guard added to FastAPI, API key, against the pile",
    "guard added to FastAPI, cached ES256 token, against the pile",
    "guard added to FastAPI, uncached HS256 token, against the pile",
    "one limit, driven, against hit + window stats",
    "three atomic limits, driven, against three of those",
    "cors: GET with a listed origin, cost added against Starlette's",
    "cors: preflight, cost added against Starlette's",
    "import CPU of garrison.limits against limits",
)
"""Figures that the README shows; the page shows all."""

_THERE = re.compile(r"(<!-- figures -->\n).*(<!-- end of figures -->\n)", re.DOTALL)


def pages() -> dict[str, str]:
    """Give every page by its file name."""
    written = {"policy.md": _policy, "lint.md": _lint, "refusals.md": _refusals, "attacks.md": _attacks}
    return {
        **{name: "\n".join(lines()) + "\n" for name, lines in written.items()},
        "figures.md": "\n".join(_figures()) + "\n",
        "api/handbook.md": "\n".join(_handbook()) + "\n",
        "garrison.schema.json": json.dumps(editor_schema(), indent=1, ensure_ascii=False) + "\n",
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; give the exit status."""
    if "--figures" in arguments:
        _take_figures(Path(arguments[arguments.index("--figures") + 1]))
    wanted = {FOLDER / name: text for name, text in pages().items()} | {README: _readme()}
    stale = [file for file, text in wanted.items() if not _holds(file, text)]
    if "--check" in arguments:
        for file in stale:
            print(f"{file.relative_to(FOLDER.parents[1])} is stale: run python tools/reference.py")
        return 1 if stale else 0
    for file in stale:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted[file], encoding="utf-8")
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
    yield from _identity()


def _identity() -> Iterator[str]:
    """The fields that never reach an application."""
    yield from ("", "## Fields that never reach the application", "")
    yield "Anybody can write down who they are; who acts, the application learns from the guard. These fields are taken"
    yield "out of every request before the application sees it, in every spelling (`_` equals `-`), whoever sends them."
    yield "No policy lets one through. An `authenticate` of the application's own still sees them: it has to know, by"
    yield "the peer or by a secret, that its proxy wrote them."
    yield from ("", "| sent by | fields |", "|---|---|")
    for who, names in TOLD_BY.items():
        yield f"| {who} | {', '.join(f'`{name}`' for name in names)} |"


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


def _refusals() -> Iterator[str]:
    """The page of the codes."""
    yield from ("# Refusals", "", MADE, "")
    yield "A refused request is answered with problem details (RFC 9457, `application/problem+json`). `code` is"
    yield "stable, and what programs should look at; `correlation` finds the reason in the journal, which the answer"
    yield "never tells where it would help to guess. Some codes bring more: `errors` lists every bad field with its"
    yield "path, `violated-policies` the limits that are spent; `WWW-Authenticate`, `Allow` and `Retry-After` stand"
    yield "in the header."
    yield from ("", "```json", "{", '  "type": "about:blank",')
    status, title, detail = REFUSALS["scope_missing"]
    yield f'  "title": "{title}", "status": {status},'
    yield f'  "detail": "{detail}",'
    yield from ('  "code": "scope_missing", "correlation": "2cefeb17c007cf71-3"', "}", "```", "")
    yield "A bad field of the body has its path inside the body, whoever found it: a schema of the policy, FastAPI or"
    yield "an endpoint of Garrison's own. `title`, `owner.mail`, `tags[1]`; empty for the whole body. A field elsewhere"
    yield "has its place before it: `query.page`, `path.id`, `header.x-count`, `cookie.size`."
    yield ""
    yield "An application's own errors look the same; there `code` is one of these where one says what the status says,"
    yield "such as `not_found`, else the number: `http_418`."
    yield from ("", "| code | status | title | detail |", "|---|---|---|---|")
    for code, told in sorted(REFUSALS.items(), key=lambda row: (row[1].status, row[0])):
        yield f"| `{code}` | {told.status} | {told.title} | {told.detail} |"


def _handbook() -> Iterator[str]:
    """The page of the handbook's classes."""
    yield from ("# garrison.handbook", "", MADE, "")
    yield "Classes with plain arguments, without a policy. [The handbook](../../handbook.md) says where each belongs."
    yield "A method is called at once, or awaited as `method.aio(...)`."
    for name in handbook.__all__:
        yield from ("", f"::: garrison.handbook.{name}")


def _attacks() -> Iterator[str]:
    """The page of the attacks, from the first sentences of their tests."""
    yield from ("# Attacks that are replayed", "", MADE, "")
    yield "Each known attack has a file of tests under `tests/attacks`. A security fix begins as one more of them."
    for file in sorted(ATTACKS.glob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        told = (ast.get_docstring(module) or "").partition("\n\n")[0].removeprefix("Attack: ")
        # Which product an advisory was about is not ours to tell; RFCs and weaknesses (CWE) stay.
        told = re.sub(r" \((?:CVE|GHSA)[^)]*\)", "", told)
        yield from ("", f"### {file.stem}", "", " ".join((told[:1].upper() + told[1:]).split()))


def _take_figures(file: Path) -> None:
    """Keep the ratios of a run; bare times say more about a machine than about the code."""
    rows = json.loads(file.read_text(encoding="utf-8"))
    kept = [{name: row[name] for name in ("name", "ratio", "bar", "least", "held")} for row in rows]
    for row in kept:
        row["ratio"], row["bar"] = float(f"{row['ratio']:.3g}"), float(f"{row['bar']:.3g}")
    text = ",\n".join(f" {json.dumps(row)}" for row in kept)
    FIGURES.write_text(f"[\n{text}\n]\n", encoding="utf-8")


def _figure_rows(names: tuple[str, ...] = ()) -> Iterator[str]:
    """The table of the figures: all of them, or those of the names."""
    yield from ("| figure | ratio | bar | |", "|---|---|---|---|")
    for row in json.loads(FIGURES.read_text(encoding="utf-8")):
        if not names or row["name"] in names:
            bar = f"at {'least' if row['least'] else 'most'} {row['bar']:.3g}"
            yield f"| {_cell(row['name'])} | {row['ratio']:.3g} | {bar} | {'held' if row['held'] else '**missed**'} |"


def _figures() -> Iterator[str]:
    """The page of the figures."""
    rows = json.loads(FIGURES.read_text(encoding="utf-8"))
    yield from ("# Figures", "", MADE, "")
    yield "`make bench` prints these figures and ends with status 1 when a bar is missed. Each is a ratio of ours to"
    yield "the other side's, so that it says something on other machines too: 0.25 against a rival is a quarter of its"
    yield "time. It still moves with the processor: where caches are small, Python weighs more against C, and ratios to"
    yield "a bare call of C (a signature, a row of SQLite) rise: a cold key has been 2.3 on one and 4.0 on another."
    yield ""
    yield "How they are measured: both sides in one process, in turn, 15 to 90 rounds; process CPU time, so that a busy"
    yield "machine shifts both alike; the median of the rounds. What a layer adds is its time less that of the same"
    yield "application without it. The pile is what one would put together otherwise around the same FastAPI"
    yield "application: Starlette's `CORSMiddleware`, slowapi's middleware, a PyJWT dependency, and secure for the"
    yield "header fields; each at the version of `requirements.lock`. Not measured: the network, and waiting."
    yield from ("", f"{sum(row['held'] for row in rows)} of {len(rows)} bars held.", "")
    yield from _figure_rows()


def _readme() -> str:
    """The README with the figures of now."""
    text = README.read_text(encoding="utf-8")
    table = "\n".join(("", *_figure_rows(IN_README), "", ""))
    return _THERE.sub(lambda found: found[1] + table + found[2], text)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
