"""The package alone: its names, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from garrison import tokens


def test_every_public_name_is_there() -> None:
    """Each is loaded from where it lives."""
    assert all(getattr(tokens, name) for name in tokens.__all__)
    assert sorted(tokens._HOME) == sorted(tokens.__all__)
    with pytest.raises(AttributeError):
        _ = tokens.Decoder


def test_whoever_only_verifies_loads_neither_a_loop_nor_a_database() -> None:
    """A process of its own, since this one has loaded everything."""
    heavy = {"asyncio", "anyio", "sqlite3", "ssl", "httptools", "argon2", "fastapi", "django", "flask"}
    code = (
        "import os, sys\nfrom garrison.tokens import Issuer, KeySet, Verifier, secret_key\n"
        "keys = KeySet([secret_key(os.urandom(32))])\n"
        "token = Issuer(keys, 'i', 'a').issue('ada', 10**15, os.urandom).token\n"
        "assert Verifier(keys, 'i', 'a').verify(token, 10**15).sub == 'ada'\n"
        f"print(sorted({heavy!r} & sys.modules.keys()))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
