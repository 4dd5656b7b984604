"""Media types of bodies: which are JSON, and which a route takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ANYTHING", "JSON", "is_json", "is_utf8", "takes"]

JSON = "application/json"
"""Stands for `application/*+json` too, wherever it is listed."""

ANYTHING = "*/*"
"""Takes bodies of every type, and of none."""


def is_json(kind: str) -> bool:
    """Tell whether a type in lower case is `application/json` or `application/*+json` (RFC 6839)."""
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def takes(content: Sequence[str], kind: str) -> bool:
    """Tell whether a type in lower case, empty for none, is among those listed, `image/*` and `*/*` included."""
    if kind in content or ANYTHING in content or (JSON in content and is_json(kind)):
        return True
    return f"{kind.partition('/')[0]}/*" in content


def is_utf8(content_type: bytes) -> bool:
    """Tell whether a body is said to be UTF-8, or nothing is said of it, as of JSON (RFC 8259 section 8.1)."""
    for parameter in content_type.lower().split(b";")[1:]:
        name, _, value = parameter.partition(b"=")
        # `charset*=` is another spelling that some parsers read (RFC 2231).
        if name.strip().startswith(b"charset") and value.strip().strip(b'"') != b"utf-8":
            return False
    return True
