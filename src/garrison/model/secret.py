"""A value that must not be seen: it has no useful `repr`, and comparing it takes constant time."""

from __future__ import annotations

from hmac import compare_digest

__all__ = ["Secret"]


class Secret:
    """Bytes that neither logs nor tracebacks can show by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        """Keep the value; text is taken as UTF-8."""
        self._value = value.encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """Give the value itself; the only way to it, so that every use can be found by name."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, with another secret only."""
        return isinstance(other, Secret) and compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a hash would be a fingerprint to look up

    def __repr__(self) -> str:
        """Say that there is a secret, and nothing about it."""
        return "Secret(…)"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a pickle is a copy that nobody guards.

        Raises:
            TypeError: Always.
        """
        msg = "a Secret cannot be pickled"
        raise TypeError(msg)
