"""What a person may type when they register: every field checked, every fault told at once.

Passwords have a length and a block list and no rules of composition, which only make them guessable in another
way. Names are refused rather than changed.

Sources: NIST SP 800-63B-4 section 3.1.1.2; ASVS 5.0 6.2.1 to 6.2.12; Unicode TR 39 section 5.1 (one script).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import name as letter_name
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email
from msgspec import Meta, Struct

from garrison.accounts.passwords.blocklist import common_passwords, folded, repeats
from garrison.accounts.user import LONGEST_EMAIL
from garrison.crypto.password import MAX_BYTES, normal_form
from garrison.model.fit import Misfit, fit
from garrison.model.http.refusal import Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LEAST_OWN", "LEAST_WORD", "Registration", "Rules"]

LEAST_OWN = 6
"""Letters and digits a password has beside names that anybody knows."""

LEAST_WORD = 3
"""Shorter names are parts of ordinary words, and are not looked for in passwords."""


class Registration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What registers an account."""

    username: str
    email: Annotated[str, Meta(max_length=LONGEST_EMAIL)]
    password: str
    invite: Annotated[str, Meta(max_length=100)] = ""
    """What `garrison users invite` printed."""


class Rules:
    """The rules of one service, compiled from its policy."""

    __slots__ = ("_least", "_name", "_special", "_words")

    def __init__(
        self, characters: str, lengths: tuple[int, int], password: int, service: str, *, special_domains: bool = False
    ) -> None:
        """Compile them.

        Args:
            characters: Of a username, as a set: `[A-Za-z0-9_]`.
            lengths: Shortest and longest username.
            password: Shortest password, in characters after normalisation.
            service: Its name, which is no password.
            special_domains: Whether addresses under `.test` are taken; for development.
        """
        self._name = re.compile(f"{characters}{{{lengths[0]},{lengths[1]}}}")
        self._least = password
        self._words = tuple(re.findall(r"[^\W_]+", service))
        self._special = special_domains

    def read(self, body: Any) -> Registration | Refusal:
        """Check a decoded body.

        Returns:
            The registration with its address in normal form; or `body_invalid` with every bad field.
        """
        fitted = fit(body, Registration)
        misfits = list(fitted.misfits)
        typed: dict[str, Any] = body if isinstance(body, dict) else {}
        bad = {misfit.path[0] for misfit in misfits if misfit.path}
        username, email, password = (
            typed[field] if field not in bad and isinstance(typed.get(field), str) else None
            for field in ("username", "email", "password")
        )
        misfits += [] if username is None else self.name_faults(username)
        normal = None if email is None else self.email_of(email)
        misfits += [normal] if isinstance(normal, Misfit) else []
        words = [username or "", email or "", *(email or "").split("@")[:1]]
        misfits += [] if password is None else self.password_faults(password, words)
        if misfits or fitted.value is None or not isinstance(normal, str):
            return invalid(misfits)
        value = fitted.value
        return Registration(username=value.username, email=normal, password=value.password, invite=value.invite)

    def name_faults(self, username: str) -> Iterator[Misfit]:
        """Tell what is wrong with a username."""
        if self._name.fullmatch(username) is None or "@" in username:
            yield Misfit(("username",), "format", f"must look like {self._name.pattern}")
        elif len(_scripts(username)) > 1:
            yield Misfit(("username",), "format", "must not mix letters of several scripts")

    def email_of(self, email: str) -> str | Misfit:
        """Give the address in normal form, or what is wrong with it. Nothing is looked up."""
        try:
            read = validate_email(email, check_deliverability=False, test_environment=self._special)
        except EmailNotValidError:
            return Misfit(("email",), "format", "must be an e-mail address")
        return read.normalized

    def password_faults(self, password: str, words: Sequence[str] = ()) -> Iterator[Misfit]:
        """Tell what is wrong with a password.

        Args:
            password: As typed.
            words: Names that anybody knows: of the person, of the service.
        """
        plain = normal_form(password)
        if plain is None:
            yield Misfit(("password",), "password_too_long", f"must have at most {MAX_BYTES} bytes")
            return
        if len(normalize("NFC", password)) < self._least:
            yield Misfit(("password",), "password_too_short", f"must have at least {self._least} characters")
        if password in common_passwords() or repeats(password):
            yield Misfit(("password",), "password_common", "is one that is guessed first")
        if _is_name(password, [*self._words, *words]):
            yield Misfit(("password",), "password_context", "is little more than a name that anybody knows")


def _is_name(password: str, words: Sequence[str]) -> bool:
    """Tell whether little is left of a password without the names in it."""
    whole = rest = folded(password)
    for word in sorted({folded(word) for word in words}, key=len, reverse=True):
        if len(word) >= LEAST_WORD:
            rest = rest.replace(word, "")
    return rest != whole and sum(letter.isalnum() for letter in rest) < LEAST_OWN


def _scripts(text: str) -> set[str]:
    """Name the scripts of the letters: the first word of each letter's Unicode name says which."""
    return {letter_name(letter, "?").split(" ")[0] for letter in text if letter.isalpha()}
