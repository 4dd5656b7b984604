"""A secret slips into an event: whoever reads the journal, or steals its file, must not find it."""

from __future__ import annotations

import os
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from garrison.audit import FORMS, export
from garrison.credentials.key_format import KeyFormat, new_key_id, new_secret_id
from garrison.model.event import Event
from garrison.model.ids import random_id
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS
from tests.stores.storm import drive

KEY_ID = new_secret_id(new_key_id(os.urandom), frozenset(), os.urandom)
API_KEY = KeyFormat("acme").make("sk", KEY_ID, os.urandom)
SECRET = random_id(os.urandom, 43)
JWT = ".".join(
    urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"HS256"}', b'{"sub":"ada"}', b"s" * 32)
)

CASES = {
    "our key": (API_KEY, API_KEY[-49:]),
    "a rotated key beside another": (f"{API_KEY},{API_KEY}", API_KEY[-49:]),
    "our refresh token": (f"acme_rt_{random_id(os.urandom)}000001_{SECRET}", SECRET),
    "a session cookie": (f"__Host-g={SECRET}", SECRET),
    "a jwt": (JWT, JWT.rpartition(".")[2]),
    "a jwt without its signature": (JWT.rpartition(".")[0], JWT.split(".")[1]),
    "an authorization field": (f"Authorization: Bearer {SECRET[:12]}", SECRET[:12]),
    "basic credentials": ("Basic " + b64encode(b"ada:correct horse").decode(), b64encode(b"ada:correct").decode()),
    "a password in a form": (f"login=ada&password={SECRET[:9]}&x=1", SECRET[:9]),
    "a password in json": (f'{{"login":"ada","password":"{SECRET[:9]} two"}}', SECRET[:9]),
    "a connection url": (f"postgresql://app:{SECRET[:9]}@db.example/x", SECRET[:9]),
    "a root key in hexadecimal": (KEY.hex(), KEY.hex()),
    "a private key": ("-----BEGIN EC " + f"PRIVATE KEY-----\n{SECRET}\n-----END", SECRET),
    "a reset link": (f"https://app.example/reset?token={SECRET[:20]}", SECRET[:20]),
    "a foreign key of 40 hexadecimal digits": (os.urandom(20).hex() + "a0", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_no_secret_reaches_the_journal_its_file_or_an_export(tmp_path: Path, case: str) -> None:
    """In any field, by either way in; what stands around it stays."""
    text, secret = CASES[case]
    secret = secret or text
    said = f"ada said {text} and left"
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    face = store.driven()
    event = Event(
        code="authn_fail",
        at=1,
        actor=said,
        subject=said,
        reason=said,
        route=said,
        correlation=said,
        details={said: said},
    )
    drive(face.commit([], [event]))
    drive(face.append([event]))
    drive(face.flush())
    written: list[bytes] = []
    for form in FORMS:
        drive(export(face, written.append, form))
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()

    for found in (*written, files):
        assert secret.encode() not in found
        assert b"ada said" in found


def test_a_secret_is_hidden_by_the_name_of_its_field() -> None:
    """However short and plain it is; the rest is `tests/stores/test_redact.py`."""
    from garrison.audit import redact

    details: dict[str, str | int | bool] = {"password": "abc", "otp": 123456, "api_key": "k", "Cookie": "a=b"}

    assert set(redact(Event(code="x", at=1, details=details)).details.values()) == {"[redacted]"}


def test_the_public_id_of_a_key_stays() -> None:
    """Or nobody could tell which key to revoke."""
    from garrison.audit import clean

    assert f"acme_sk_live_{KEY_ID}_[redacted]" in clean(f"presented {API_KEY}")
