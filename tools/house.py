"""Measure the house: how long, how tangled, how documented the code is, against bars that hold.

Prints one line per measure and one per fault, and exits with 1 when a bar is missed. Reads the source text only:
nothing is imported, so a broken module is measured like any other.
"""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import NamedTuple

__all__ = ["Fault", "Function", "Module", "Row", "judge", "main", "read"]

SHIPPED = "src"
ROOTS = (SHIPPED, "tools", "benchmarks", "examples", "tests")
FORBIDDEN = frozenset({"utils", "helpers", "common", "base", "core", "types", "manager"})
MODULE_BARS = (("median", 50, 120), ("p90", 90, 300), ("max", 100, 400))
FUNCTION_BARS = (("median", 50, 6), ("p90", 90, 20), ("p99", 99, 40), ("max", 100, 50))
COMPLEXITY = 10
PACKAGE = 12
LINES_PER_SUPPRESSION = 1000
REASON = 10
"""Characters that a reason after a suppression has at least."""

_DIRECTIVE = re.compile(
    r"type:\s*ignore(?:\[[\w, -]+\])?|(?:ruff:\s*)?noqa(?::\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?"
    r"|pragma:\s*no\s*(?:cover|branch)|(?:pyright|ty):\s*ignore(?:\[[\w, -]+\])?|mypy:\s*[\w-]+"
    r"|fmt:\s*(?:off|skip)|nosec"
)
_CODELESS = re.compile(r"type:\s*ignore|(?:ruff:\s*)?noqa")

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Fault(NamedTuple):
    """A place that breaks a rule, and what to do about it."""

    path: Path
    line: int
    text: str


class Function(NamedTuple):
    """A function or method: how long without its docstring, how many ways lead through it."""

    name: str
    line: int
    lines: int
    complexity: int


class Module(NamedTuple):
    """A source file and everything that is measured about it."""

    path: Path
    lines: int
    functions: Sequence[Function]
    documented: int
    undocumented: Sequence[Fault]
    suppressions: int
    faults: Sequence[Fault]


class Row(NamedTuple):
    """One line of the table: a measure, its value and its bar."""

    measure: str
    value: str
    bar: str
    held: bool


def read(path: Path, text: str) -> Module:
    """Measure one source file.

    Args:
        path: Where it stands, relative to the root of the repository.
        text: Its source.

    Raises:
        SyntaxError: The text is not Python.
    """
    tree = ast.parse(text, str(path))
    shipped = path.parts[0] == SHIPPED
    functions = [_function(node) for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
    public = list(_public(tree, path)) if shipped else []
    suppressions, unreasoned = _suppressions(path, text)
    return Module(
        path=path,
        lines=text.count("\n"),
        functions=functions,
        documented=sum(has for _, has in public),
        undocumented=[fault for fault, has in public if not has],
        suppressions=suppressions,
        faults=[*unreasoned, *_exports(tree, path), *_name(path)] if shipped else [*unreasoned, *_name(path)],
    )


def judge(modules: Sequence[Module]) -> tuple[list[Row], list[Fault]]:
    """Hold the measures against their bars.

    Returns:
        The table, and every place that has to change.
    """
    code = [module for module in modules if module.path.parts[0] != "tests"]
    shipped = [module for module in modules if module.path.parts[0] == SHIPPED]
    rows, faults = _sizes(code)
    tangled = [
        Fault(m.path, f.line, f"{f.name} has complexity {f.complexity}; make two of it")
        for m in modules
        for f in m.functions
        if f.complexity > COMPLEXITY
    ]
    undocumented = list(chain.from_iterable(module.undocumented for module in shipped))
    crowded = list(_crowded(shipped))
    broken = list(chain.from_iterable(module.faults for module in modules))
    rows += [
        Row(f"functions with complexity over {COMPLEXITY}", str(len(tangled)), "0", not tangled),
        _docstrings(shipped),
        _suppression_row("suppressions, shipped code", shipped),
        _suppression_row("suppressions, all code", modules),
        Row(f"packages over {PACKAGE} modules", str(len(crowded)), "0", not crowded),
        Row("broken rules of naming and export", str(len(broken)), "0", not broken),
    ]
    return rows, [*faults, *tangled, *undocumented, *crowded, *broken]


def main(root: Path = Path()) -> int:
    """Measure the repository at `root` and print what was found; 1 means that a bar is missed."""
    modules = [read(path.relative_to(root), path.read_text("utf-8")) for path in _sources(root)]
    rows, faults = judge(modules)
    for row in rows:
        print(f"{row.measure:<42} {row.value:>10}   bar {row.bar:<22} {'held' if row.held else 'MISSED'}")
    for fault in sorted(faults):
        print(f"{fault.path}:{fault.line}: {fault.text}")
    return 0 if all(row.held for row in rows) else 1


def _sources(root: Path) -> list[Path]:
    return sorted(path for name in ROOTS for path in (root / name).rglob("*.py"))


def _percentile(values: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile; 0 of nothing."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)] if ranked else 0


def _sizes(code: Sequence[Module]) -> tuple[list[Row], list[Fault]]:
    modules = [module.lines for module in code]
    functions = [function.lines for module in code for function in module.functions]
    faults = [
        Fault(m.path, 1, f"{m.lines} lines; make two modules of it") for m in code if m.lines > MODULE_BARS[-1][2]
    ]
    faults += [
        Fault(m.path, f.line, f"{f.name} has {f.lines} lines; make two functions of it")
        for m in code
        for f in m.functions
        if f.lines > FUNCTION_BARS[-1][2]
    ]
    return [
        _size_row("module lines", modules, MODULE_BARS),
        _size_row("function lines", functions, FUNCTION_BARS),
    ], faults


def _size_row(measure: str, sizes: Sequence[int], bars: Sequence[tuple[str, int, int]]) -> Row:
    values = [_percentile(sizes, percent) for _, percent, _ in bars]
    return Row(
        f"{measure} {' / '.join(name for name, _, _ in bars)}",
        " / ".join(map(str, values)),
        " / ".join(str(bar) for _, _, bar in bars),
        all(value <= bar for value, (_, _, bar) in zip(values, bars, strict=True)),
    )


def _docstrings(shipped: Sequence[Module]) -> Row:
    missing = sum(len(module.undocumented) for module in shipped)
    total = sum(module.documented for module in shipped) + missing
    return Row("public names with a docstring", f"{total - missing} of {total}", "all", not missing)


def _suppression_row(measure: str, modules: Sequence[Module]) -> Row:
    lines = sum(module.lines for module in modules)
    allowed = -(-lines // LINES_PER_SUPPRESSION)
    found = sum(module.suppressions for module in modules)
    return Row(measure, str(found), f"{allowed} (1 per {LINES_PER_SUPPRESSION:,} lines)", found <= allowed)


def _crowded(shipped: Sequence[Module]) -> Iterator[Fault]:
    packages: dict[Path, int] = {}
    for module in shipped:
        if module.path.name != "__init__.py":
            packages[module.path.parent] = packages.get(module.path.parent, 0) + 1
    for package, count in packages.items():
        if count > PACKAGE:
            yield Fault(package, 1, f"{count} modules; make two packages of it")


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        docstring = node.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return Function(node.name, node.lineno, lines, sum(map(_ways, ast.walk(node))))


def _ways(node: ast.AST) -> int:
    """Ways that a node adds, counted as ruff's C901 does: statements, and a function counts for itself."""
    if isinstance(node, (*_FUNCTIONS, ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler)):
        return 1
    if isinstance(node, ast.Try):
        return bool(node.orelse)
    if isinstance(node, ast.Match):
        return sum(not _matches_all(case) for case in node.cases)
    return 0


def _matches_all(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None


def _public(tree: ast.Module, path: Path) -> Iterator[tuple[Fault, bool]]:
    """Every public module, class, function and method, and whether it has a docstring."""
    if not path.stem.startswith("_") or path.stem == "__init__":
        yield Fault(path, 1, "the module has no docstring"), ast.get_docstring(tree) is not None
    yield from _public_members(tree, path)


def _public_members(parent: ast.Module | ast.ClassDef, path: Path) -> Iterator[tuple[Fault, bool]]:
    for node in parent.body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_") and not _repeats(node):
            yield Fault(path, node.lineno, f"{node.name} has no docstring"), ast.get_docstring(node) is not None
            if isinstance(node, ast.ClassDef):
                yield from _public_members(node, path)


def _repeats(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Tell whether the node belongs to a name documented elsewhere: an overload, a property's setter, an override."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return not names.isdisjoint({"overload", "override", "setter", "deleter"})


def _exports(tree: ast.Module, path: Path) -> Iterator[Fault]:
    """Faults of `__all__`: missing, or silent about a public name that the module defines."""
    if path.stem.startswith("_") and path.stem != "__init__":
        return
    exported = _exported(tree)
    if exported is None:
        if any(True for _ in _defined(tree)):
            yield Fault(path, 1, "a public module without __all__")
        return
    for name, line in _defined(tree):
        if exported and name not in exported:
            yield Fault(path, line, f"{name} is not in __all__; add it or begin it with _")


def _exported(tree: ast.Module) -> frozenset[str] | None:
    """The names in `__all__`; empty when it is computed, None when there is none."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
            if isinstance(value, (ast.List, ast.Tuple)):
                return frozenset(ast.literal_eval(value))
            return frozenset()
    return None


def _defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Public names that a module makes itself, each with its line."""
    for node in tree.body:
        names: list[str] = []
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign) and not _type_variable(node.value):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from ((name, node.lineno) for name in names if not name.startswith("_"))


def _type_variable(value: ast.expr) -> bool:
    """Type variables are `T` by custom, and nobody imports them."""
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"TypeVar", "ParamSpec", "TypeVarTuple"}


def _name(path: Path) -> Iterator[Fault]:
    for part in (*path.parts[1:-1], path.stem):
        if part.strip("_").removeprefix("test_") in FORBIDDEN:
            yield Fault(path, 1, f"no module is called {part}; name what it is about")


def _suppressions(path: Path, text: str) -> tuple[int, list[Fault]]:
    """How many suppressions a file holds, and those that name no code or give no reason."""
    found, faults = 0, []
    for token in tokenize.generate_tokens(StringIO(text).readline):
        directives = _DIRECTIVE.findall(token.string) if token.type == tokenize.COMMENT else []
        if not directives:
            continue
        found += len(directives)
        faults += [Fault(path, token.start[0], f"{d} names no code") for d in directives if _CODELESS.fullmatch(d)]
        if len(_DIRECTIVE.sub("", token.string).strip(" #-:;.")) < REASON:
            faults.append(Fault(path, token.start[0], f"{directives[-1]} gives no reason after it"))
    return found, faults


if __name__ == "__main__":
    sys.exit(main())
