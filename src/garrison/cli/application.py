"""Import the application that a command is told about: `module:app`, from the working directory."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from garrison.errors import GarrisonError, UsageError

__all__ = ["DEFAULT", "load_app"]

DEFAULT = "app"
"""The name that is looked for when none stands behind a colon."""


def load_app(name: str) -> Any:
    """Import an application.

    Args:
        name: `package.module:app`; with `()` behind it what stands there is called and gives the application.

    Raises:
        UsageError: There is no such module or name, or importing it failed; the text says where.
        GarrisonError: The application puts a guard up while it is imported, and the guard does not stand.
    """
    module_name, _, path = name.partition(":")
    path = path or DEFAULT
    found: Any = _module(module_name)
    for step in path.removesuffix("()").split("."):
        if not hasattr(found, step):
            msg = f"{module_name} has no {path.removesuffix('()')}; name the application as MODULE:NAME"
            raise UsageError(msg)
        found = getattr(found, step)
    return _called(found, name) if path.endswith("()") else found


def _module(name: str) -> Any:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return import_module(name)
    except GarrisonError:
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            msg = f"there is no module {error.name} in {folder}; name the application as MODULE:NAME, main:app"
            raise UsageError(msg) from None
        raise _failed(f"importing {name}", error) from None


def _called(factory: Any, name: str) -> Any:
    try:
        return factory()
    except GarrisonError:
        raise
    except Exception as error:
        raise _failed(f"calling {name}", error) from None


def _failed(doing: str, error: Exception) -> UsageError:
    """Say what an application's own code raised, and in which line of it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith("<") and "garrison/cli" not in frame.filename]
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    if isinstance(error, SyntaxError):
        place = f" ({error.filename}, line {error.lineno})"
    return UsageError(f"{doing} failed: {type(error).__name__}: {error}{place}")
