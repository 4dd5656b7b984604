"""Change the code in small wrong ways and see whether the tests notice: a test suite is as good as what it catches.

Each mutant is one module with one change (`<` for `<=`, a constant off by one, a call left out), held against the tests
that mirror its package, in a process of its own. What survives is either a gap in the tests or a change without effect.

The table goes to `docs/proof/mutants.md`, the survivors to `build/mutants.txt`.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import os
import resource
import signal
import sys
from binascii import crc32
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest

__all__ = ["Mutant", "Result", "apply", "candidates", "main", "publish"]

PACKAGES = ("model", "limits", "cors", "headers", "crypto", "policy", "guard", "credentials", "tokens", "audit")
BAR = 85
"""Percent of the mutants that the tests of each package catch at least."""

SAMPLE = 80
"""Mutants drawn from each package, the same ones for the same source."""

HEAVY = (
    "hypothesis",
    "hypothesis.strategies",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "msgspec",
    "sybil",
)
"""Imported before the first fork, so that no mutant pays for them."""

TIMEOUT = 600
"""Seconds after which a mutant that waits for ever counts as caught."""

PATIENCE = 3
"""How many times the processor time of the code as it is a mutant may take, and ten seconds more, before it counts as
one that never ends, and so as caught. Not the time of day: a machine that is busy catches none."""

_HEAD = f"""# Mutants

A mutant is one module with one small wrong change; the tests that mirror its package must fail. {SAMPLE} are tried of
each package, the bar is {BAR} %. `make prove` writes this page.

| package | mutants | caught | |
|---|---:|---:|---:|"""
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_UNNOTICED = ("if TYPE_CHECKING", "__all__ =")
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


class Mutant(NamedTuple):
    """One change of one module."""

    path: Path
    node: int
    """Its place in the walk of the module's tree."""
    line: int
    change: str


class Result(NamedTuple):
    """What became of the mutants of one package."""

    package: str
    tried: int
    survivors: Sequence[Mutant]

    @property
    def percent(self) -> int:
        """Mutants caught, in whole percent, rounded down."""
        return 100 - -(-100 * len(self.survivors) // self.tried) if self.tried else 100


def candidates(path: Path, text: str) -> Iterator[Mutant]:
    """Every mutant that a module can be made into; what no test could notice (`__all__`, options of classes) stays."""
    tree = ast.parse(text)
    kept = {id(inner) for node in _kept(tree) for inner in ast.walk(node)}
    for index, node in enumerate(ast.walk(tree)):
        change = _mutate(node) if id(node) not in kept else ""
        if change:
            yield Mutant(path, index, getattr(node, "lineno", 0), change)


def apply(mutant: Mutant, text: str) -> CodeType:
    """Compile the module with the mutant's change made."""
    tree = ast.parse(text)
    _mutate(next(node for index, node in enumerate(ast.walk(tree)) if index == mutant.node))
    return compile(ast.fix_missing_locations(tree), str(mutant.path), "exec", dont_inherit=True)


def _row(result: Result) -> str:
    caught = result.tried - len(result.survivors)
    return f"| {result.package} | {result.tried} | {caught} | {result.percent} % |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants of the packages named, or of all; 1 means that a package misses the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="mutants of each package; 0 means all")
    options = parser.parse_args(arguments)
    for name in HEAVY:
        importlib.import_module(name)
    if "garrison" in sys.modules:
        # What is loaded before the fork is what every child tests: the code as it is, and no mutant.
        raise SystemExit("Garrison is loaded already, so no mutant would be")
    results = []
    for package in options.packages:
        results.append(_try(package, options.sample))
        print(_row(results[-1]), flush=True)
    survivors = [f"{mutant.path}:{mutant.line}: {mutant.change}\n" for result in results for mutant in result.survivors]
    Path("build").mkdir(exist_ok=True)
    Path("build/mutants.txt").write_text("".join(survivors), "utf-8")
    if options.sample == SAMPLE:
        publish(results, Path("docs/proof/mutants.md"))
    return 0 if all(result.percent >= BAR for result in results) else 1


def publish(results: Sequence[Result], page: Path) -> None:
    """Write the rows of these packages to the page; what it says of others stays."""
    written = page.read_text("utf-8") if page.exists() else ""
    rows = {name: row for row in written.splitlines() for name in PACKAGES if row.startswith(f"| {name} |")}
    rows |= {result.package: _row(result) for result in results}
    text = "\n".join(rows[name] for name in PACKAGES if name in rows)
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"{_HEAD}\n{text}\n", "utf-8")


def _kept(tree: ast.Module) -> Iterator[ast.AST]:
    """What is never mutated."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from filter(None, [node.returns, *node.decorator_list])
        elif isinstance(node, ast.ClassDef):
            yield from node.keywords
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            yield node
        elif isinstance(node, ast.JoinedStr):
            # How much of a value a message shows.
            yield from (inner.slice for inner in ast.walk(node) if isinstance(inner, ast.Subscript))
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.If | ast.Assign) and ast.unparse(node).startswith(_UNNOTICED):
            yield node


def _mutate(node: ast.AST) -> str:
    """Change the node in place and tell how; empty when there is nothing to change."""
    for kind, change in _CHANGES:
        if isinstance(node, kind):
            return change(node)
    return ""


def _comparison(node: ast.Compare) -> str:
    old, new = type(node.ops[0]), _COMPARISONS[type(node.ops[0])]
    node.ops[0] = new()
    return f"{old.__name__} becomes {new.__name__}"


def _boolean(node: ast.BoolOp) -> str:
    old = type(node.op)
    node.op = ast.Or() if old is ast.And else ast.And()
    return f"{old.__name__} becomes {type(node.op).__name__}"


def _operator(node: ast.BinOp) -> str:
    new = _OPERATORS.get(type(node.op))
    if new is None or (isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)):
        return ""
    old = type(node.op)
    node.op = new()
    return f"{old.__name__} becomes {new.__name__}"


def _not(node: ast.UnaryOp) -> str:
    if not isinstance(node.op, ast.Not):
        return ""
    node.operand = ast.UnaryOp(ast.Not(), node.operand)
    return "Not is left out"


def _constant(node: ast.Constant) -> str:
    old = node.value
    if isinstance(old, bool):
        node.value = not old
    elif isinstance(old, int):
        node.value = old + 1
    return f"{old!r} becomes {node.value!r}" if node.value is not old else ""


def _statement(node: ast.Expr) -> str:
    if not isinstance(node.value, ast.Call | ast.Await):
        return ""
    left_out = ast.unparse(node)
    node.value = ast.copy_location(ast.Constant(None), node)
    return f"{left_out} is left out"


_CHANGES: Sequence[tuple[type[ast.AST], Callable[..., str]]] = (
    (ast.Compare, _comparison),
    (ast.BoolOp, _boolean),
    (ast.BinOp, _operator),
    (ast.UnaryOp, _not),
    (ast.Constant, _constant),
    (ast.Expr, _statement),
)


class _Changed(SourceFileLoader):
    """Loads one module as its mutant, finds it before anyone else does."""

    def __init__(self, mutant: Mutant) -> None:
        name = ".".join(mutant.path.with_suffix("").parts[1:]).removesuffix(".__init__")
        super().__init__(name, str(mutant.path.resolve()))
        self.code = apply(mutant, mutant.path.read_text("utf-8"))

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        return self.code


def _try(package: str, sample: int) -> Result:
    tests = [f"tests/{package}"]
    _, status, used = os.wait4(_start(None, tests), 0)
    if status:
        raise SystemExit(f"the tests of {package} fail as it is; mend them first")
    seconds = 10 + PATIENCE * int(used.ru_utime + used.ru_stime)
    source = sorted(Path("src/garrison", package).rglob("*.py"))
    mutants = [mutant for path in source for mutant in candidates(path, path.read_text("utf-8"))]
    if sample:
        # Drawn by what they are and not by chance, so that a run can be compared with the one before.
        mutants = sorted(mutants, key=lambda mutant: crc32(repr(mutant).encode()))[:sample]
    running: dict[int, Mutant] = {}
    survivors = []
    for mutant in mutants:
        if len(running) == os.cpu_count():
            survivors += _reap(running)
        running[_start(mutant, tests, seconds)] = mutant
    while running:
        survivors += _reap(running)
    return Result(package, len(mutants), sorted(survivors))


def _reap(running: dict[int, Mutant]) -> list[Mutant]:
    process, status = os.wait()
    mutant = running.pop(process)
    return [] if status else [mutant]


def _start(mutant: Mutant | None, tests: Sequence[str], seconds: int = 0) -> int:
    """Run the tests in a child, with the mutant in place of its module; its exit status is 0 when they pass."""
    process = os.fork()
    if process:
        return process
    try:
        signal.alarm(TIMEOUT)
        if seconds:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        if mutant:
            sys.meta_path.insert(0, _Changed(mutant))
        os._exit(pytest.main([*_OPTIONS, *tests]))
    finally:
        os._exit(70)


if __name__ == "__main__":
    sys.exit(main())
