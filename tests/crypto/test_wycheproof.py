"""What implementations of signatures have got wrong: the vectors of Project Wycheproof.

The rows of `docs/reference/jwt-differences.md` are the only cases in which we decide otherwise, or where it leaves the
decision to us.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from garrison.crypto import base64
from garrison.crypto.jwk import read_jwk
from garrison.errors import SecretError

FILES = sorted((Path(__file__).parents[1] / "vectors" / "wycheproof").glob("*.json"))
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "jwt-differences.md"
ROWS = {"small-exponent": 2, "missing-null": 1, "small-order": 8, "mixed-order": 21}
"""Cases of each row."""


def _row(jwk: dict[str, str], result: str, flags: str) -> str:
    """Name the row that a case belongs to; empty: it has to be decided as it says."""
    if jwk["kty"] == "RSA" and int.from_bytes(base64.decode(jwk["e"]) or b"", "big") not in range(65537, 1 << 32):
        return "small-exponent"
    if result != "acceptable":
        return ""
    return {"SmallOrderPublicKey": "small-order", "MixedOrderPublicKey": "mixed-order", "MissingNull": "missing-null"}[
        flags
    ]


def _takes(jwk: dict[str, str], alg: str, message: str, signature: str) -> bool:
    try:
        key = read_jwk({**jwk, "alg": alg})
    except SecretError:
        return False
    return key.check(base64.decode(message) or b"", signature.encode())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_invalid_is_refused_and_what_is_valid_is_taken(file: Path) -> None:
    """But for the rows: a key of small order or with an odd exponent is refused, one of mixed order taken."""
    vectors: dict[str, Any] = json.loads(file.read_text())
    wrong = []

    for group in vectors["groups"]:
        for number, result, flags, message, signature in group["tests"]:
            row = _row(group["jwk"], result, flags)
            wanted = row == "mixed-order" if row else result == "valid"
            if _takes(group["jwk"], vectors["alg"], message, signature) != wanted:
                wrong.append((number, result, flags))

    assert wrong == []


def test_every_case_is_there_and_every_row_is_explained() -> None:
    """The page says how many there are; a vector that is lost, or a row that no case shows, fails here."""
    found: Counter[str] = Counter()
    for file in FILES:
        for group in json.loads(file.read_text())["groups"]:
            found.update(_row(group["jwk"], result, flags) for _, result, flags, *_ in group["tests"])
    page = PAGE.read_text("utf-8").partition("## Signatures")[2]

    assert {name: count for name, count in found.items() if name} == ROWS
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(ROWS)
    assert f"{found.total():,} of its cases" in page


def test_a_key_of_small_order_is_refused_in_every_spelling() -> None:
    """The eight points, with either sign, and with the prime added where that fits."""
    prime, eighth = 2**255 - 19, 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
    spellings = [
        y + sign for y in (0, 1, prime - 1, prime, prime + 1, eighth, prime - eighth) for sign in (0, 1 << 255)
    ]

    for spelling in spellings:
        with pytest.raises(SecretError):
            read_jwk({"kty": "OKP", "crv": "Ed25519", "x": base64.encode(spelling.to_bytes(32, "little"))})
