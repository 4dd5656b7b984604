"""Read the root key from where the policy says it is, and refuse one that protects nothing.

There is no default secret: what everybody has is no secret. In development a random one is made under `var/`.
"""

from __future__ import annotations

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from garrison.errors import SecretError
from garrison.model.secret import Secret
from garrison.runtime.process.state import state_folder

if TYPE_CHECKING:
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Policy

__all__ = ["DEVELOPMENT_ROOT", "LEAST_BYTES", "LEAST_DIFFERENT", "read_password", "read_secret", "root_keys"]

LEAST_BYTES = 32
"""Shortest root key: 256 bits."""

LEAST_DIFFERENT = 16
"""Fewest different byte values in it: 32 random bytes have fewer with odds below 10**-13; `aaaa…` has one."""

DEVELOPMENT_ROOT = Path("var/root.key")
"""Where development keeps the root key it makes for itself, below `garrison.runtime.process.state.state_folder`."""


def root_keys(policy: Policy, randomness: Randomness) -> tuple[Secret, ...]:
    """Read the root key and its predecessors, the present one first.

    Raises:
        SecretError: One is missing, weak, or readable by others.
    """
    reference = policy.secrets.root
    if not reference:
        if policy.environment != "development":
            msg = 'secrets.root is not set. Write where it is: root = "file:/run/secrets/garrison_root"'
            raise SecretError(msg)
        reference = f"file:{_development_root(state_folder(policy) / DEVELOPMENT_ROOT, randomness)}"
    return tuple(read_secret(each) for each in (reference, *policy.secrets.old_roots))


def read_secret(reference: str) -> Secret:
    """Read one key by reference.

    Raises:
        SecretError: It is missing, weak, or readable by others. The text never holds the secret.
    """
    return _strong(read_password(reference), reference)


def read_password(reference: str) -> str:
    """Read a text by reference, whatever its strength: `file:PATH`, `credential:NAME` (systemd), `env:NAME`.

    Raises:
        SecretError: It is missing, or readable by others. The text never holds the secret.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "file":
        text = _from_file(Path(rest))
    elif scheme == "credential":
        directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
        if not directory or "/" in rest:
            msg = f"{reference}: there is no credentials directory, or the name is a path"
            raise SecretError(msg)
        text = _from_file(Path(directory) / rest)
    elif scheme == "env":
        text = os.environ.get(rest, "")
    else:
        msg = f"{reference[:20]!r} is not a reference; write file:PATH, credential:NAME or env:NAME"
        raise SecretError(msg)
    if not text.strip():
        msg = f"{reference} is missing or empty"
        raise SecretError(msg)
    return text.strip()


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            msg = f"{path} can be read or written by everybody; run: chmod 600 {path}"
            raise SecretError(msg)
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as fault:
        msg = f"{path} cannot be read as text: {type(fault).__name__}"
        raise SecretError(msg) from fault


def _strong(text: str, reference: str) -> Secret:
    value = _decode(text)
    if len(value) < LEAST_BYTES or len(set(value)) < LEAST_DIFFERENT:
        msg = (
            f"{reference} is weak: it must be at least {LEAST_BYTES} random bytes, in hex or base64url; "
            'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
        raise SecretError(msg)
    return Secret(value)


def _decode(text: str) -> bytes:
    """Hex if it is hex, else base64url; anything else has no bytes and is therefore weak."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _development_root(place: Path, randomness: Randomness) -> Path:
    path = place.absolute()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = urlsafe_b64encode(randomness(LEAST_BYTES)).rstrip(b"=")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path
        with os.fdopen(handle, "wb") as file:
            file.write(text + b"\n")
    return path
