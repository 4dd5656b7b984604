"""What may be registered: every fault told at once, no value ever repeated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.accounts.fields import Registration, Rules
from garrison.model.http.refusal import Refusal

RULES = Rules("[A-Za-z0-9_]", (3, 50), 15, "tasks-api")
GOOD: dict[str, Any] = {"username": "ada", "email": "ada@example.org", "password": "purple mattress 91"}


def read(rules: Rules = RULES, **changes: Any) -> Registration | Refusal:
    return rules.read({**GOOD, **changes})


def faults(answer: Registration | Refusal) -> list[tuple[str, str]]:
    """Path and code of every bad field."""
    if isinstance(answer, Registration):
        return []
    assert (answer.code, answer.status) == ("body_invalid", 422)
    return [(error["path"], error["code"]) for error in answer.members["errors"]]


def test_a_good_body_is_taken() -> None:
    assert read(email="Ada@EXAMPLE.org") == Registration(
        username="ada", email="Ada@example.org", password="purple mattress 91"
    )


def test_every_bad_field_is_told_at_once() -> None:
    """People mend a form once, not four times."""
    answer = RULES.read({"username": "a!", "email": "nowhere", "password": "short", "admin": True, "invite": 7})

    assert sorted(faults(answer)) == [
        ("admin", "unknown"),
        ("email", "format"),
        ("invite", "type"),
        ("password", "password_too_short"),
        ("username", "format"),
    ]


def test_missing_and_wrong_fields_are_told_together() -> None:
    assert sorted(faults(RULES.read({"username": "a!"}))) == [
        ("email", "missing"),
        ("password", "missing"),
        ("username", "format"),
    ]


@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], ["ada"], {"$ne": None}, {}])
@pytest.mark.parametrize("field", ["username", "email", "password", "invite"])
def test_another_type_is_told(field: str, value: Any) -> None:
    """Type confusion is a 422, never a 500."""
    assert (field, "type") in faults(read(**{field: value}))


@pytest.mark.parametrize("body", [None, 7, "ada", [], [GOOD]])
def test_another_body_is_told(body: Any) -> None:
    assert faults(RULES.read(body)) == [("", "type")]


@pytest.mark.parametrize(
    ("username", "fits"), [("ada", True), ("a" * 50, True), ("_0A", True), ("ad", False), ("a" * 51, False)]
)
def test_username_lengths(username: str, *, fits: bool) -> None:
    assert (faults(read(username=username)) == []) is fits


@pytest.mark.parametrize(
    "username", ["ada\n", "ada lovelace", "аda", "ada\u200b", "ada'--", "ａｄａ", "ada\x00", "../ada", "<b>"]
)
def test_usernames_of_other_characters_are_refused(username: str) -> None:
    """Also those that look like a taken one: Cyrillic, full width, with an invisible space."""
    assert faults(read(username=username)) == [("username", "format")]


def test_a_wider_set_does_not_mix_scripts() -> None:
    """Where a policy allows Cyrillic names, a Latin one with a single Cyrillic letter is still refused."""
    rules = Rules("[A-Za-zА-Яа-я0-9]", (3, 50), 15, "x")

    assert faults(read(rules, username="Анна1")) == []
    assert faults(read(rules, username="Аnna1")) == [("username", "format")]


def test_a_set_with_an_at_sign_does_not_make_names_of_addresses() -> None:
    """A name that is somebody's address would take that person's logins."""
    assert faults(read(Rules("[a-z@.]", (3, 50), 15, "x"), username="bob@example.org")) == [("username", "format")]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "ada@example.org\r\nBcc: eve@example.org",
        '"ada"@example.org',
        "ada@example..org",
        "ada@-example.org",
        "ada@example.test",
        "ada@@example.org",
        "ada@example.org\x00",
        "Ada <ada@example.org>",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert faults(read(email=email)) == [("email", "format")]


def test_an_endless_address_is_refused_unread() -> None:
    assert faults(read(email="a" * 100_000 + "@example.org")) == [("email", "length")]


def test_development_takes_test_addresses() -> None:
    rules = Rules("[a-z]", (3, 50), 15, "x", special_domains=True)

    assert faults(read(rules, email="ada@example.test")) == []
    assert faults(read(rules, email="ada@localhost")) == [("email", "format")]


@pytest.mark.parametrize(
    "password",
    [
        "zkqjwvxnybtrpom",
        "                a b c d e f g",
        "密码密码很长很长很长很长很长的句子啊",
        "!a!b!c!d!e!f!g!h",
        "x" * 7 + "y" * 1009 + "zabcdefg",
    ],
)
def test_no_rules_of_composition(password: str) -> None:
    """Length and lists only (NIST SP 800-63B-4 section 3.1.1.2)."""
    assert faults(read(password=password)) == []


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("zkqjwvxnybtrpo", "password_too_short"),
        ("e\u0301" * 7 + "zkqjwvx", "password_too_short"),
        ("passwordpassword", "password_common"),
        ("QwertyUiopAsdfgh", "password_common"),
        ("abcabcabcabcabcabc", "password_common"),
        ("ada@example.org-99", "password_context"),
        ("Tasks-API-tasks-api", "password_context"),
        ("x" + "yz" * 600, "password_too_long"),
        ("é" * 513, "password_too_long"),
        ("\ud800" + "abcdefghijklmnop", "password_too_long"),
    ],
)
def test_passwords_that_are_refused(password: str, code: str) -> None:
    assert ("password", code) in faults(read(password=password))


def test_characters_are_counted_after_normalisation() -> None:
    """Fifteen letters with accents are fifteen, however they were typed."""
    assert faults(read(password="e\u0301" * 6 + "zkqjwvxny")) == []


def test_a_common_name_is_no_context() -> None:
    """Who is called Al must not have every word with `al` refused."""
    assert faults(read(username="al_", email="al@example.org", password="total recall of 91 seals")) == []


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_the_reader_and_none_is_repeated(username: str, email: str, password: str) -> None:
    """An answer that repeats the value would put passwords into logs of proxies."""
    answer = RULES.read({"username": username, "email": email, "password": f"~{password}~secret"})

    if isinstance(answer, Refusal):
        assert all(f"~{password}~secret" not in error["text"] for error in answer.members["errors"])
    else:
        assert answer.username == username


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_body_breaks_the_reader(body: Any) -> None:
    assert isinstance(RULES.read(body), Refusal)
