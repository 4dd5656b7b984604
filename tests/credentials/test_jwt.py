"""Tokens as a credential: found by their form, believed by `garrison.tokens`, told apart by issuer."""

from __future__ import annotations

from random import Random

import pytest

from garrison.credentials import jwt
from garrison.credentials.jwt import MOST_REMEMBERED, WEIGHTS, ForeignRights
from garrison.credentials.protocol import Owner, Presented
from garrison.crypto.key import secret_key
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from tests.credentials.tokens import FOREIGN, Tokens
from tests.credentials.world import People

SECOND = 1_000_000


def _principal(answer: Principal | Refusal | None) -> Principal:
    assert isinstance(answer, Principal), answer
    return answer


def _reason(answer: Principal | Refusal | None) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.reason


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: bytes) -> None:
    tokens = Tokens()
    line = scheme + b" " + tokens.issue("ada").encode()

    assert _principal(tokens.judge([(b"authorization", line)])).subject == "ada"


@pytest.mark.parametrize("line", [b"Bearer x", b"Bearer a.b", b"Bearer a.b.c.d", b"Basic a.b.c", b"Bearer", b""])
def test_what_has_not_three_parts_is_another_kind(line: bytes) -> None:
    assert Tokens().judge([(b"authorization", line)]) is None


def test_a_token_in_the_query_is_not_looked_for() -> None:
    """RFC 6750 section 2.3 allows it; RFC 9700 section 4.3.2 forbids it."""
    tokens = Tokens()
    request = Request("GET", "/", [], query=b"access_token=" + tokens.issue("ada").encode())

    assert tokens.credential.find(request) is None


def test_the_challenges_are_those_of_rfc_6750() -> None:
    """Section 3.1: a request without a token learns of no error."""
    tokens = Tokens()
    refusal = tokens.ask(tokens.issue("ada", issuer="nobody"))

    assert isinstance(refusal, Refusal)
    assert tokens.credential.challenge == b'Bearer realm="notes"'
    assert refusal.headers == ((b"www-authenticate", b'Bearer realm="notes", error="invalid_token"'),)


def test_a_token_of_ours_is_the_same_person_as_their_key() -> None:
    tokens = Tokens()
    token = tokens.issue(
        "ada", scopes=("notes:read",), session="s1", authenticated_at=7 * SECOND, methods=("pwd",), tenant="t"
    )

    principal = _principal(tokens.ask(token))

    assert principal.id == "user:ada::t"
    assert (principal.issuer, principal.tenant, principal.kind) == ("", "t", "user")
    assert (principal.session, principal.authenticated_at, principal.methods) == ("s1", 7 * SECOND, ("pwd",))
    assert principal.scopes == {"notes:read"}
    assert principal.credential.startswith("jwt:")


def test_a_client_that_acts_for_itself_is_a_service() -> None:
    tokens = Tokens()

    assert _principal(tokens.ask(tokens.issue("robot", client="robot"))).id == "service:robot"


@pytest.mark.parametrize(
    ("most", "effective"),
    [((), set()), (("notes:read",), {"notes:read"}), (("notes:*",), {"notes:read"}), (("other:*",), set())],
)
def test_a_foreign_token_carries_no_more_than_its_issuer_may(most: tuple[str, ...], effective: set[str]) -> None:
    tokens = Tokens(foreign={FOREIGN: ForeignRights(frozenset(most))})

    principal = _principal(tokens.ask(tokens.issue("ada", issuer=FOREIGN, scopes=("notes:read", "admin:*"))))

    assert principal.scopes == effective


def test_a_foreign_subject_is_nobody_of_ours_and_chooses_no_tenant() -> None:
    tokens = Tokens(foreign={FOREIGN: ForeignRights(frozenset(), tenant="partner")})

    own = _principal(tokens.ask(tokens.issue("ada", tenant="victim")))
    foreign = _principal(tokens.ask(tokens.issue("ada", issuer=FOREIGN, tenant="victim")))

    assert own.id != foreign.id
    assert (foreign.issuer, foreign.tenant) == (FOREIGN, "partner")


class TestOwners:
    """Our own tokens carry what was granted and their subject may now."""

    def test_what_the_owner_lost_the_token_lost(self) -> None:
        people = People(("user:ada", Owner(frozenset(("notes:read",)))))
        tokens = Tokens(owners=people)
        token = tokens.issue("ada", scopes=("notes:read", "notes:write"))
        assert _principal(tokens.ask(token)).scopes == {"notes:read"}

        people.owners["user:ada"] = Owner(frozenset())

        assert _principal(tokens.ask(token)).scopes == frozenset()

    @pytest.mark.parametrize("owner", [None, Owner(frozenset(), active=False), Owner(frozenset(), epoch=1)])
    def test_an_owner_who_is_gone_or_began_anew_ends_the_token(self, owner: Owner | None) -> None:
        people = People(("user:ada", Owner(frozenset())))
        tokens = Tokens(owners=people)
        token = tokens.issue("ada", epoch=0)
        assert isinstance(tokens.ask(token), Principal)

        people.owners = {"user:ada": owner} if owner else {}

        assert _reason(tokens.ask(token)) == "token_owner_gone"

    def test_a_foreign_subject_has_no_owner_here(self) -> None:
        tokens = Tokens(owners=People())

        assert isinstance(tokens.ask(tokens.issue("ada", issuer=FOREIGN)), Principal)

    def test_a_name_with_a_colon_is_not_somebody_elses(self) -> None:
        """`ada:x` must not be asked for as owner `user:ada:x`, which could be ada of issuer x."""
        tokens = Tokens(owners=People(("user:ada:x", Owner(frozenset()))))

        assert _reason(tokens.ask(tokens.issue("ada:x"))) == "token_owner_gone"


def test_what_is_remembered_is_never_another_tokens() -> None:
    """More logins than are remembered, twice each: every answer is that token's own."""
    tokens = Tokens()
    names = [f"user{number}" for number in range(MOST_REMEMBERED + 10)]
    issued = {name: tokens.issue(name, scopes=(f"{name}:read",)) for name in names}
    for _ in range(2):
        for name in names:
            principal = _principal(tokens.ask(issued[name]))
            assert principal.subject == name
            assert principal.scopes == {f"{name}:read"}


def test_a_forged_signature_weighs_more_than_an_expired_token() -> None:
    tokens = Tokens()
    good = tokens.issue("ada")
    forged = tokens.ask(good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"))
    late = tokens.ask(tokens.issue("ada", lifetime=SECOND, now=tokens.clock.wall() - SECOND))

    assert isinstance(forged, Refusal)
    assert isinstance(late, Refusal)
    assert (forged.reason, late.reason) == ("token_signature", "token_expired")
    assert forged.weight > late.weight > 0


def test_what_is_remembered_is_given_again() -> None:
    tokens = Tokens()
    token = tokens.issue("ada")

    assert tokens.ask(token) is tokens.ask(token)


class Same(Random):
    """Draws the same bytes every time, so that every token gets the same name."""

    def randbytes(self, n: int) -> bytes:
        return bytes(n)


def test_two_tokens_of_one_name_are_two() -> None:
    """An issuer that gives a name twice gives nobody the rights of somebody else."""
    tokens = Tokens()
    tokens.random = Same()
    issued = [tokens.issue("ada", scopes=(scope,)) for scope in ("a:x", "b:x", "a:x")]

    assert [_principal(tokens.ask(token)).scopes for token in issued] == [{"a:x"}, {"b:x"}, {"a:x"}]


def test_no_more_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt, "MOST_REMEMBERED", 2)
    tokens = Tokens()
    known = []
    for name in "abcd":
        tokens.ask(tokens.issue(name))
        known.append(len(tokens.credential._known))

    assert known == [1, 2, 1, 2]


def test_what_came_twice_or_is_no_ascii_is_refused_by_its_form() -> None:
    tokens = Tokens()
    line = tokens.header(tokens.issue("ada"))
    answers = [tokens.judge([line, line]), tokens.judge([(b"authorization", b"Bearer a.b.\xff")])]

    assert [(each.code, each.status, each.reason) for each in answers if isinstance(each, Refusal)] == [
        ("credential_ambiguous", 400, "token_twice"),
        ("credential_malformed", 401, "token_form"),
    ]
    assert isinstance(answers[0], Refusal)
    assert answers[0].headers == ()


@pytest.mark.parametrize("public", [False, True])
def test_a_believed_token_stands_until_it_ends_or_is_ended(public: bool) -> None:
    """Where it is cached its text is not looked at again; where it is not, its signature is."""
    tokens = Tokens(public=public)
    token, other = tokens.issue("ada", lifetime=9 * SECOND), tokens.issue("ada")
    assert isinstance(tokens.ask(token), Principal)
    found = tokens.credential.find(Request("GET", "/", [tokens.header(token)]))
    assert isinstance(found, Presented)
    lasting = tokens.credential.lasting(found)
    assert lasting is not None
    forged = token[: token.rindex(".")] + other[other.rindex(".") :]

    def stands(text: str, after: int = 0) -> bool:
        _, field = tokens.header(text)
        return tokens.credential.stands(lasting, field, tokens.clock.wall() + after, tokens.clock.monotonic())

    assert (tokens.credential.lasts, stands(token), stands(forged)) == (True, True, public)
    assert (stands(token, 8 * SECOND), stands(token, 9 * SECOND)) == (True, False)
    tokens.revoke(token)
    assert not stands(token)


def test_where_owners_may_change_nothing_lasts() -> None:
    tokens = Tokens(owners=People(("user:ada", Owner(frozenset()))))
    token = tokens.issue("ada")
    principal = _principal(tokens.ask(token))
    found = tokens.credential.find(Request("GET", "/", [tokens.header(token)]))
    assert isinstance(found, Presented)

    assert tokens.credential.lasts is False
    assert tokens.credential.lasting(found) is None
    assert drive(tokens.credential.spend(principal)) is None


def test_attempts_weigh_by_how_hard_they_are_to_make_by_mistake() -> None:
    tokens = Tokens()
    token, ended = tokens.issue("ada"), tokens.issue("ada")
    tokens.revoke(ended)
    stranger = Tokens()
    stranger.keys.replace([secret_key(bytes(range(32)), kid="other")])
    answers = [
        tokens.ask(text)
        for text in (
            token[: token.rindex(".")] + "." + "A" * 43,
            stranger.issue("ada"),
            ended,
            "eyJhbGciOiJub25lIn0" + token[token.index(".") :],
            tokens.issue("ada", lifetime=SECOND, now=tokens.clock.wall() - SECOND),
        )
    ]

    assert {each.reason: each.weight for each in answers if isinstance(each, Refusal)} == {
        "token_signature": 20,
        "token_key_unknown": 10,
        "token_revoked": 5,
        "token_algorithm": 10,
        "token_expired": 1,
    }
    assert WEIGHTS["bound"] == 5
