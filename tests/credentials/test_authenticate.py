"""An application's own authentication: asked last, believed whole, and held to its word."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.credentials.authenticate import OwnAuthentication
from garrison.credentials.protocol import Presented
from garrison.errors import UsageError
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import ANONYMOUS, Principal
from garrison.policy.plan import Plan
from tests.credentials.world import World

EMPTY = Request("GET", "/", [])


def _believe(answer: Any, *, public: bool = False) -> Principal | Refusal:
    credential = OwnAuthentication(lambda _: answer, "notes")
    found = credential.find(EMPTY)
    assert isinstance(found, Presented)
    return drive(credential.believe(found, EMPTY, "", Plan(route="r", template="/", public=public), 1, 1))


def test_whom_it_names_is_believed() -> None:
    ada = Principal(subject="ada")

    assert _believe(ada) is ada


def test_none_is_a_missing_credential_where_one_is_needed() -> None:
    refusal = _believe(None)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.status) == ("credential_missing", 401)
    assert refusal.headers == ((b"www-authenticate", b'Bearer realm="notes"'),)


def test_none_is_nobody_in_particular_on_a_public_route() -> None:
    assert _believe(None, public=True) is ANONYMOUS


@pytest.mark.parametrize("answer", [False, "", "ada", 0, {}, object()])
def test_anything_else_is_a_mistake_and_no_pass(answer: object) -> None:
    """`False` and an empty text are what a careless function returns for a stranger, `"ada"` for a friend."""
    with pytest.raises(UsageError, match="Principal or None"):
        _believe(answer)


def test_it_is_not_asked_when_a_key_is_presented_right_or_wrong() -> None:
    """Two answers to who it is must never compete."""
    world = World()
    world.tend()
    asked: list[Request] = []

    def authenticate(request: Request) -> Principal | None:
        asked.append(request)
        return Principal(subject="ada")

    credential = OwnAuthentication(authenticate, "notes", beside=(world.keys,))
    for text in (world.make().text, "x"):
        assert credential.find(Request("GET", "/", [(b"x-api-key", text.encode())])) is None
    assert isinstance(credential.find(EMPTY), Presented)
    assert asked == [], "finding is pure; it is asked when it is to be believed"


def test_a_coroutine_function_is_waited_for() -> None:
    ada = Principal(subject="ada")

    async def answer() -> Principal:
        return ada

    assert _believe(answer()) is ada


def test_nothing_of_an_application_stands_without_asking_it() -> None:
    credential = OwnAuthentication(lambda _: None, "notes", kind="cookie")
    found = credential.find(EMPTY)
    assert isinstance(found, Presented)

    assert (credential.kind, found.kind, credential.lasts) == ("cookie", "cookie", False)
    assert credential.lasting(found) is None
    assert credential.stands(found, b"", 1, 1) is False
    assert drive(credential.spend(ANONYMOUS)) is None
