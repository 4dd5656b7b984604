"""What the journal may hold of a text, and what it must leave alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from garrison.model.event import Event
from garrison.stores.redact import HIDDEN, LONGEST, MOST_DETAILS, clean, redact

KEY = "grsn_sk_live_4fQxT0aB9cDe_" + "s3cretPART" * 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "authn_login_fail",
        "user:ada",
        "user:ada:https%3A%2F%2Fissuer.example%2Frealms%2Fone:acme",
        "service:550e8400-e29b-41d4-a716-446655440000",
        "key:4fQxT0aB9cDe",
        "GET /api/tasks/{id}",
        "GET|POST /api/very/long/route/with/many/segments/that/goes/on/and/on/{id}/and/on",
        "2001:db8:85a3:8d3:1319:8a2e:370:7348",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "scope_missing",
        "Åda Lövelace said hello, twice",
        "password_wrong",
        "token_expired",
        "https://app.example.com/path?page=2&limit=10",
        "a line of words that is longer than forty characters but holds nothing secret at all",
    ],
)
def test_names_and_sentences_stay_as_they_are(text: str) -> None:
    """A journal that hides who and what is no journal."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (KEY, f"grsn_sk_live_4fQxT0aB9cDe_{HIDDEN}"),
        (f"key={KEY};", f"key=grsn_sk_live_4fQxT0aB9cDe_{HIDDEN};"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln", HIDDEN),
        ("eyJhbGciOiJIUzI1NiJ9", HIDDEN),
        ("got eyJhbGciOi.x.y, then", f"got {HIDDEN}, then"),
        ("Bearer abcdefgh1", f"Bearer {HIDDEN}"),
        ("Authorization: token abc def", f"Authorization: {HIDDEN}"),
        ("cookie=a=1; b=2", f"cookie= {HIDDEN}"),
        ("password=hunter2", f"password={HIDDEN}"),
        ('{"new_password": "two words", "x": 1}', f'{{"new_password": {HIDDEN}, "x": 1}}'),
        ("client_secret='a b' ok", f"client_secret={HIDDEN} ok"),
        ("PIN: 1234", f"PIN: {HIDDEN}"),
        ("postgres://app:hunter2@db/x", f"postgres://app:{HIDDEN}@db/x"),
        ("-----BEGIN " + "PRIVATE KEY-----\nMIIE", HIDDEN),
        ("0123456789abcdef" * 4, HIDDEN),
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", HIDDEN),
        ("x=" + "Ab/9" * 11 + "==", f"x={HIDDEN}"),
    ],
)
def test_secrets_are_cut_out(text: str, left: str) -> None:
    """And what stands around them stays."""
    assert clean(text) == left


SECRETS = st.sampled_from(
    [
        KEY,
        "acme9_rk_test_0123456789ab_" + "Z" * 49,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
        "password=SECRET0123",
        'passwd":"SECRET0123"',
        "refresh_token: SECRET0123",
        "X-Api-Key: SECRET0123",
        "Basic U0VDUkVUMDEyMw==",
        "https://u:SECRET0123@h/",
        "f" * 39 + "0" + "e" * 24,
    ]
)
PARTS = ("s3cretPART", "ZZZZ", "eyJzdWI", "SECRET0123", "U0VDUkVU", "ffff0", "0eee")


@given(st.text(max_size=40), SECRETS, st.text(max_size=40))
@example("", "password=SECRET0123", "")
@example("x" * (LONGEST - 30) + " ", KEY, "")
@example("x " * (LONGEST // 2 - 10), "password=SECRET0123" + "y" * 4_000, "")
def test_no_secret_gets_through_whatever_stands_around_it(before: str, secret: str, after: str) -> None:
    """A space keeps the secret a word of its own; letters glued to it may make it another word."""
    left = clean(f"{before} {secret} {after}")

    assert not any(part in left for part in PARTS if part in secret and part not in before + after)


@given(st.text())
def test_what_is_left_is_one_printable_line_of_bounded_length(text: str) -> None:
    """No line feed, no escape, no direction override (CWE-117), no lone surrogate."""
    left = clean(text)

    assert left.isprintable()
    assert len(left) <= LONGEST
    left.encode()


def test_a_very_long_text_costs_little() -> None:
    """Only its beginning is looked at, and no rule goes back and forth over it."""
    for text in ("a" * 10**7, "eyJ" * 10**6, "://" * 10**6, "password" * 10**6, "-" * 10**7, "a_" * 10**6):
        assert len(clean(text)) <= LONGEST


def test_details_are_hidden_by_their_name_and_bounded_in_number() -> None:
    """Whatever is called a secret is one."""
    names = (
        "password",
        "newPassword",
        "client_secret",
        "API-Key",
        "authorization",
        "set-cookie",
        "otp",
        "refreshToken",
    )
    kept: dict[str, str | int | bool] = {
        "scopes": "a b",
        "tokens": 3,
        "token_kind": "refresh",
        "has_password": True,
        "passwords": 2,
    }
    event = redact(Event(code="x", at=1, details={**dict.fromkeys(names, "v"), **kept}))
    crowd = redact(Event(code="x", at=1, details={f"n{number}": "v" for number in range(1_000)}))

    assert event.details == {**dict.fromkeys(names, HIDDEN), **kept}
    assert redact(Event(code="x", at=1, details={"pin": 1234})).details == {"pin": HIDDEN}
    assert len(crowd.details) == MOST_DETAILS


def test_an_event_without_secrets_is_the_same_object() -> None:
    """Nothing is copied for nothing."""
    event = Event(code="x", at=1, actor="user:ada", details={"n": 1, "name": "Ada"})

    assert redact(event) is event


def test_a_secret_that_looks_hidden_already_is_hidden() -> None:
    """Nobody hides a password behind the word that stands for one."""
    assert "hunter2" not in clean("password=[redacted]hunter2")
    assert "hunter2" not in clean("password=a]b}c&d;hunter2")
    assert "hunter2" not in clean('{"password":"a\\"b hunter2"}')
