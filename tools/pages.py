"""Make every code block of a page a test, so that the documentation cannot say what does not work.

Each page has an empty folder of its own, in which its blocks run from top to bottom:

- a fence with `title="NAME"` is written to that file first;
- `python` is executed, names carry over from block to block; with a title it is imported as that module, and a
  `test_NAME.py` is run by pytest in a process of its own, as the reader will, with its `conftest.py`; `toml` and
  `json` must parse;
- `console` runs each `$ garrison …` line, which must succeed; below it stands its output, `...` for anything;
  `$ export NAME=VALUE` holds to the end of the page;
- every other language (`sh`, `text`, `nginx`, …) is only shown.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from garrison.runtime.runtime import Runtime

__all__ = ["pages"]

MODULE = "page"
"""The module whose names the Python blocks of a page share; structs find their types through it."""

Runner: TypeAlias = Callable[[Example], None]
"""Runs one block; raises when the page does not hold."""

COMMAND_TIMEOUT = 60
"""Seconds that one command of a page may take."""

_CONFIGURED = "_wrapped"
"""Where Django's settings keep what they were configured with."""

_INFO = re.compile(r"(?P<language>\w+)(?P<attributes>[^\n]*)\n")
_TITLE = re.compile(r'title="(?P<title>[^"/]+)"')
_COMMENT = re.compile(r"\s+# .*$")


def pages(root: Path, commands: Path | None = None) -> Sybil:
    """Collect the README and the pages under `docs` as tests.

    Args:
        root: The folder of the README.
        commands: Where the `garrison` command is; next to this Python, unless told.
    """
    runners = {**_RUNNERS, "console": _console(commands or Path(sys.executable).parent)}
    return Sybil(
        parsers=[partial(_blocks, runners)],
        patterns=["README.md", "docs/*.md", "docs/**/*.md"],
        path=str(root),
        setup=_enter,
        teardown=_leave,
    )


def _enter(namespace: dict[str, Any]) -> None:
    """Give the page its folder and its module."""
    stack = contextlib.ExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    stack.enter_context(contextlib.chdir(folder))
    sys.modules[MODULE] = ModuleType(MODULE)
    stack.callback(sys.modules.pop, MODULE)
    sys.path.insert(0, folder)
    stack.callback(sys.path.remove, folder)
    stack.callback(_forget, folder)
    stack.callback(_close, frozenset(map(id, _guards())))
    stack.enter_context(_django_apart())
    namespace["stack"] = stack


@contextlib.contextmanager
def _django_apart() -> Iterator[None]:
    """Let a page configure Django, which takes one configuration for a whole process."""
    from django.conf import settings
    from django.utils.functional import empty

    before = getattr(settings, _CONFIGURED)
    setattr(settings, _CONFIGURED, empty)
    try:
        yield
    finally:
        setattr(settings, _CONFIGURED, before)


def _guards() -> list[Runtime]:
    return [each for each in gc.get_objects() if type(each) is Runtime]


def _close(others: frozenset[int]) -> None:
    """Close the guards that a page put up: their jobs would go on in a folder that is gone."""
    for guard in _guards():
        if id(guard) not in others:
            guard.close()


def _set(name: str, value: str | None) -> None:
    """Give a variable of the environment a value, or take it away."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _forget(folder: str) -> None:
    """Drop the modules that a page imported from its own files: the next page may have a `main.py` too."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(folder):
            del sys.modules[name]


def _leave(namespace: dict[str, Any]) -> None:
    namespace["stack"].close()


def _blocks(runners: Mapping[str, Runner], document: Document) -> Iterator[Region]:
    for region in RawFencedCodeBlockLexer(_INFO)(document):
        lexemes: Mapping[str, Any] = region.lexemes
        run = runners.get(lexemes["language"])
        title = _TITLE.search(lexemes["attributes"])
        if run or title:
            region.parsed = lexemes["source"]
            region.evaluator = _evaluator(run, title["title"] if title else None)
            yield region


def _evaluator(run: Runner | None, title: str | None) -> Runner:
    def evaluate(example: Example) -> None:
        if title:
            Path(title).write_text(example.parsed, "utf-8")
        if title and title.startswith("test_"):
            _test(title)
        elif title and title.endswith(".py"):
            # A `conftest.py` is for the tests below it, in their process.
            if title != "conftest.py":
                _import(title.removesuffix(".py"))
        elif run:
            run(example)

    return evaluate


def _python(example: Example) -> None:
    # Blank lines in front make the line numbers of a traceback those of the page.
    source = "\n" * example.line + example.parsed
    code = compile(source, example.path, "exec", dont_inherit=True)
    exec(code, sys.modules[MODULE].__dict__)


def _import(name: str) -> None:
    """Import a module that the page has just written."""
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    importlib.import_module(name)


def _test(name: str) -> None:
    """Run tests that the page has just written where nothing is imported, configured or served yet."""
    for guard in _guards():
        # Another process may serve the records only when this one does not.
        guard.stop()
    _command(f"python -m pytest {name}", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name])


def _toml(example: Example) -> None:
    tomllib.loads(example.parsed)


def _json(example: Example) -> None:
    json.loads(example.parsed)


def _console(commands: Path) -> Runner:
    def run(example: Example) -> None:
        for chunk in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
            command, _, expected = chunk.partition("\n")
            words = shlex.split(_COMMENT.sub("", command))
            if words[0] == "export":
                name, _, value = words[1].partition("=")
                example.namespace["stack"].callback(_set, name, os.environ.get(name))
                _set(name, value)
                continue
            if words[0] != "garrison":
                raise AssertionError(f"a test runs `garrison` only; show `{command}` in a `sh` block")
            _compare(command, [str(commands / words[0]), *words[1:]], expected.strip())

    return run


def _compare(shown: str, command: list[str], expected: str) -> None:
    printed = _command(shown, command)
    if expected and not _like(expected).fullmatch(printed.strip()):
        raise AssertionError(f"`{shown}` printed:\n{printed}\nwhere the page says:\n{expected}")


def _command(shown: str, command: list[str]) -> str:
    """Run a command that must succeed, and give what it printed."""
    done = subprocess.run(
        command,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
        timeout=COMMAND_TIMEOUT,
        check=False,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise AssertionError(f"`{shown}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _like(expected: str) -> re.Pattern[str]:
    """Match text that is as expected, with `...` standing for anything."""
    return re.compile(".*".join(map(re.escape, expected.split("..."))), re.DOTALL)


_RUNNERS: Mapping[str, Runner] = {"python": _python, "toml": _toml, "json": _json}
