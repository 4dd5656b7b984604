"""Attack: register a name or an address that people, or the software, take for somebody else's."""

from __future__ import annotations

import pytest

from tests.accounts.world import World

TWINS = [
    "аda",  # Cyrillic а
    "ada\u200b",
    "ada\u00ad",
    "ａｄａ",
    "ⓐⓓⓐ",
    "𝐚𝐝𝐚",
    "adа",
    "ada ",
    " ada",
    "ada\u0000",
    "a\u0308da",
    "ada\u202e",
    "ɑdɑ",
]


@pytest.mark.parametrize("twin", TWINS)
def test_a_look_alike_of_a_name_is_refused(twin: str) -> None:
    world = World()
    world.register()

    assert world.call("register", _body(username=twin)).status == 422


@pytest.mark.parametrize("twin", ["Ada", "ADA", "aDa"])
def test_another_letter_case_is_the_same_name(twin: str) -> None:
    world = World()
    world.register()

    assert world.call("register", _body(username=twin)).status == 409


@pytest.mark.parametrize(
    "twin", ["ADA@example.org", "ada@EXAMPLE.ORG", "ａda@example.org", "ada@ｅxample.org", "ada@example.org."]
)
def test_another_spelling_of_an_address_is_the_same_address_or_none(twin: str) -> None:
    """Two accounts for one mailbox would let one reset the other's password."""
    world = World()
    world.register()

    assert world.call("register", _body(email=twin)).status in (409, 422)


@pytest.mark.parametrize(
    ("first", "second"), [("ada@exämple.org", "ada@xn--exmple-cua.org"), ("ada@EXÄMPLE.org", "ada@exämple.org")]
)
def test_both_forms_of_an_international_domain_are_one(first: str, second: str) -> None:
    world = World()
    assert world.call("register", _body(email=first)).status == 201

    assert world.call("register", _body(username="other", email=second)).status == 409


def test_a_turkish_letter_does_not_open_another_account() -> None:
    """`ı` in upper case is `I`: who folds in two ways finds another account each time."""
    world = World(username="[a-zA-ZıİIi]")
    world.register("mike")

    for twin in ("mıke", "mİke"):
        answer = world.call("register", _body(username=twin))
        if answer.status == 201:
            assert world.login("mike").json["user"]["username"] == "mike"
            assert world.login(twin, "green armchair 17").json["user"]["username"] == twin
        else:
            assert answer.status in (409, 422)


def _body(**changes: str) -> dict[str, str]:
    body = {"username": "other", "email": "other@example.org", "password": "green armchair 17"}
    return {**body, **changes}
