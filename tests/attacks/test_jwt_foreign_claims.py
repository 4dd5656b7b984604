"""A trusted foreign issuer writes claims that mean something only here: whose somebody is, what was ended.

It is trusted to say who its own people are. Whoever runs it, or breaks it, must get no further than that.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from garrison.credentials.jwt import ForeignRights
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.principal import Principal
from garrison.tokens import Claims, Verifier
from tests.credentials.tokens import FOREIGN, Tokens
from tests.tokens.making import AUDIENCE, ISSUER, NOW, made, verifier

PARTNER = {FOREIGN: ForeignRights(frozenset(("notes:read",)), tenant="partner")}


@pytest.fixture
def tokens() -> Tokens:
    """A service that trusts a partner's issuer a little."""
    return Tokens(foreign=PARTNER)


def _believed(tokens: Tokens, subject: str = "ada", **claims: Any) -> Principal:
    found = tokens.ask(tokens.issue(subject, issuer=FOREIGN, **claims))
    assert isinstance(found, Principal)
    return found


def test_it_chooses_no_tenant(tokens: Tokens) -> None:
    for tenant in ("victim", "", "partner:user"):
        assert _believed(tokens, tenant=tenant).tenant == "partner"


@pytest.mark.parametrize("claims", [{"epoch": 10**9}, {"tenant": "elsewhere"}, {"tenant": "elsewhere", "epoch": 10**9}])
def test_it_does_not_undo_the_end_of_one_of_its_subjects(tokens: Tokens, claims: dict[str, Any]) -> None:
    """Everything of a subject was ended here: an epoch of its own, or another tenant, made that miss."""
    stolen = tokens.issue("ada", issuer=FOREIGN, **claims)
    ending = tokens.revoked.end_subject(tokens.records, FOREIGN, "ada", tokens.clock.wall(), os.urandom)
    assert drive(ending) == 1

    found = tokens.ask(stolen)

    assert isinstance(found, Refusal)
    assert found.reason == "token_revoked"


def test_it_ends_no_session_of_ours(tokens: Tokens) -> None:
    """Logging out ends the session that the principal names; a foreign `sid` named a victim's."""
    own = tokens.ask(tokens.issue("ada", session="s1"))
    assert isinstance(own, Principal)

    assert own.session == "s1"
    assert _believed(tokens, session="s1").session == ""


def test_it_spends_no_limit_of_a_token_of_ours(tokens: Tokens) -> None:
    """A limit per key counts by the credential's name; two issuers may give two tokens one name."""
    drawn = tokens.random.getstate()
    own = tokens.ask(tokens.issue("ada"))
    tokens.random.setstate(drawn)
    theirs = _believed(tokens)
    assert isinstance(own, Principal)
    assert theirs.credential.startswith(own.credential)

    assert own.credential != theirs.credential


@pytest.mark.parametrize("granted", [("admin:*",), ("notes:*",), ("notes:read", "notes:write")])
def test_it_grants_no_more_than_the_policy_lends_it(tokens: Tokens, granted: tuple[str, ...]) -> None:
    assert _believed(tokens, scopes=granted).scopes <= {"notes:read"}


@pytest.mark.parametrize("subject", ["ada", "user:ada", "ada::partner", f"ada:{FOREIGN}", "ada%3A", "ada:"])
def test_its_people_are_none_of_ours(tokens: Tokens, subject: str) -> None:
    """However a subject is spelt, the four parts stay apart."""
    others = [tokens.ask(tokens.issue(name, tenant=tenant)) for name in ("ada", subject) for tenant in ("", "partner")]
    theirs = _believed(tokens, subject)

    assert theirs.id not in [other.id for other in others if isinstance(other, Principal)]
    assert len(others) == 4


def test_its_service_is_none_of_its_people(tokens: Tokens) -> None:
    """`client_id` may make a subject a service; that is another principal, and still the issuer's."""
    person, robot = _believed(tokens, "robot"), _believed(tokens, "robot", client="robot")

    assert (robot.kind, robot.issuer, robot.tenant) == ("service", FOREIGN, "partner")
    assert robot.id != person.id


@pytest.mark.parametrize("claims", [{"tenant": {"id": 7}}, {"tenant": None}, {"epoch": "first"}, {"epoch": -1}])
def test_what_it_means_by_these_names_is_its_own_affair(claims: dict[str, Any]) -> None:
    """Another meaning of `tenant` is no reason to turn its people away."""
    found: Claims = verifier().verify(made(**claims), NOW)

    assert (found.tenant, found.epoch) == ("", None)


def test_our_own_tokens_keep_both(tokens: Tokens) -> None:
    """Else the end of a subject would be a matter of clocks."""
    token = tokens.issue("ada", tenant="acme", epoch=3)
    own: Verifier[Claims] = Verifier(tokens.keys, "notes", "notes", own=True)
    renamed: Verifier[Claims] = Verifier(tokens.keys, "notes", "notes", own=True, scope_claim="rights")

    for one in (own, renamed):
        claims = one.verify(token, tokens.clock.wall())
        assert (claims.tenant, claims.epoch) == ("acme", 3)


def test_an_issuer_that_is_not_named_is_nobody() -> None:
    assert (ISSUER, AUDIENCE) != (FOREIGN, "notes")
    assert isinstance(Tokens().ask(made().decode()), Refusal)
