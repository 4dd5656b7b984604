"""What a database's error becomes."""

from __future__ import annotations

from garrison.errors import StoreError

__all__ = ["fault_of"]


def fault_of(what: str, error: BaseException) -> StoreError:
    """Tell what failed and the error's code, not its words: they may name users, machines, and what a row holds.

    Args:
        what: What could not be done.
        error: Of the driver; the cause of what is given.
    """
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or type(error).__name__
    fault = StoreError(f"{what} ({code})")
    fault.__cause__ = error
    return fault
