"""Row 3 of the chapter: `JWTManager` and `jwt_required`, played as it calls them."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flask
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import SecretError, UsageError
from garrison.handbook import JWTManager
from garrison.handbook import jwt_required as required
from garrison.model.units import HOUR
from garrison.stores.memory.records import MemoryRecords
from garrison.testing.clock import START, ManualClock

SECRET = os.urandom(32)
SECONDS = START // 1_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def manager(clock: ManualClock) -> JWTManager:
    return JWTManager(SECRET, clock=clock)


def test_the_calls_of_the_row(manager: JWTManager) -> None:
    token = manager.generate_token("ada", ["tasks:write", "tasks:read"], expires_hours=2)
    said = manager.validate_token(token)

    assert said is not None
    assert said == {
        "user_id": "ada",
        "permissions": ["tasks:read", "tasks:write"],
        "iat": SECONDS,
        "exp": SECONDS + 7200,
        "jti": said["jti"],
    }
    new = manager.refresh_token(token)
    assert new is not None
    assert manager.validate_token(token) is None
    renewed = manager.validate_token(new)
    assert renewed is not None
    assert {**renewed, "jti": ""} == {**said, "jti": ""}
    assert manager.revoke_token(new)
    assert manager.validate_token(new) is None


def test_the_same_calls_on_a_loop(manager: JWTManager) -> None:
    async def calls() -> list[Any]:
        token = await manager.generate_token.aio("ada", ["tasks:read"])
        new = await manager.refresh_token.aio(token)
        assert new is not None
        return [await manager.validate_token.aio(token), await manager.revoke_token.aio(new)]

    assert asyncio.run(calls()) == [None, True]


def test_a_token_lives_a_day_unless_it_says_otherwise(manager: JWTManager, clock: ManualClock) -> None:
    token = manager.generate_token("ada", [])

    clock.advance(24 * HOUR - 1)
    assert manager.validate_token(token)
    clock.advance(1)
    assert manager.validate_token(token) is None
    assert manager.refresh_token(token) is None
    assert not manager.revoke_token(token)


def test_what_counts_no_longer_is_not_ended_again(manager: JWTManager) -> None:
    token = manager.generate_token("ada", [])

    assert [manager.revoke_token(token) for _ in range(2)] == [True, False]
    assert manager.refresh_token(token) is None


def test_of_many_who_exchange_one_token_one_gets_the_next(manager: JWTManager) -> None:
    token = manager.generate_token("ada", [])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(manager.refresh_token, [token] * 32))

    assert len([new for new in found if new is not None]) == 1


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "ES256"])
def test_other_algorithms(algorithm: str) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    manager = JWTManager(pem.decode() if algorithm == "ES256" else os.urandom(64), algorithm)

    assert manager.validate_token(manager.generate_token("ada", []))


def test_a_public_key_makes_no_tokens() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).public_key()
    public = pem.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    for algorithm in ("ES256", "HS256"):
        with pytest.raises(SecretError):
            JWTManager(public, algorithm)


@pytest.mark.parametrize("secret", ["", "secret", "your-secret-key", "a" * 64, "changeme" * 4])
def test_a_weak_secret_is_refused(secret: str) -> None:
    """Also the one that teaching texts print."""
    with pytest.raises(SecretError):
        JWTManager(secret)


@pytest.mark.parametrize("call", [("", [], 24), ("ada", ["a b"], 24), ("ada", [], 0), ("ada", [], -1)])
def test_a_token_for_nobody_or_for_no_time_is_not_made(manager: JWTManager, call: tuple[str, list[str], int]) -> None:
    with pytest.raises(UsageError):
        manager.generate_token(*call)


def test_what_one_process_revoked_every_process_of_the_store_refuses(clock: ManualClock) -> None:
    """At once, since a manager with a store of its own asks it each time."""
    records = MemoryRecords(clock, os.urandom(32))
    here, there = (JWTManager(SECRET, records=records, clock=clock) for _ in range(2))
    token = here.generate_token("ada", [])
    assert there.validate_token(token)

    assert here.revoke_token(token)
    assert there.validate_token(token) is None


@given(st.text())
def test_any_text_is_a_token_that_is_not_accepted(text: str) -> None:
    manager = JWTManager(SECRET)

    assert manager.validate_token(text) is None
    assert manager.refresh_token(text) is None
    assert not manager.revoke_token(text)


jwt_manager = JWTManager(SECRET)
"""What the chapter calls it; the decorator finds it here."""


@required()
def anybody(request: Any, *, current_user: Any) -> Any:
    return current_user["user_id"]


@required(["tasks:write", "tasks:admin"])
def writers(request: Any, *, current_user: Any) -> Any:
    return current_user["user_id"]


@required(["tasks:write"])
async def later(request: Any, *, current_user: Any) -> Any:
    return current_user["user_id"]


def on_a_loop(request: Any) -> Any:
    return asyncio.run(later(request))


class Sent:
    """A request of any framework: it has header fields."""

    def __init__(self, line: str | None, name: str = "Authorization") -> None:
        self.headers = {} if line is None else {name: line}


def outcome(answer: Any) -> Any:
    return answer if isinstance(answer, str) else (answer[1], answer[2]["WWW-Authenticate"])


def test_the_decorator_lets_any_one_of_the_permissions_in() -> None:
    reader, writer, star = (jwt_manager.generate_token("ada", [p]) for p in ("tasks:read", "tasks:write", "tasks:*"))

    for function in (writers, on_a_loop):
        assert outcome(function(Sent(f"Bearer {writer}"))) == "ada"
        assert outcome(function(Sent(f"bearer {star}", "authorization"))) == "ada"
        assert outcome(function(Sent(f"Bearer {reader}"))) == (403, 'Bearer error="insufficient_scope"')
    assert outcome(anybody(Sent(f"Bearer {reader}"))) == "ada"
    assert outcome(anybody(request=Sent(f"Bearer {reader}"))) == "ada"


@pytest.mark.parametrize(
    ("line", "challenge"),
    [
        (None, "Bearer"),
        ("", "Bearer"),
        ("Bearer ", "Bearer"),
        ("Basic YTpi", "Bearer"),
        ("Bearer x", 'Bearer error="invalid_token"'),
        ("Bearer a.b.c", 'Bearer error="invalid_token"'),
    ],
)
def test_without_a_right_token_the_answer_is_401(line: str | None, challenge: str) -> None:
    """The same for every fault, with a challenge (RFC 6750 section 3)."""
    for function in (anybody, writers, on_a_loop):
        assert outcome(function(Sent(line))) == (401, challenge)


def test_in_flask_the_decorator_finds_the_request_itself() -> None:
    """And its refusal is an answer Flask understands."""
    app = flask.Flask(__name__)

    @app.get("/me")
    @required(["tasks:read"], manager=jwt_manager)
    def me(*, current_user: Any) -> Any:
        return {"user": current_user["user_id"]}

    token = jwt_manager.generate_token("ada", ["tasks:read"])
    client = app.test_client()
    good, bad = client.get("/me", headers={"Authorization": f"Bearer {token}"}), client.get("/me")

    assert (good.status_code, good.json) == (200, {"user": "ada"})
    assert (bad.status_code, bad.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_the_header_fields_can_come_from_anywhere() -> None:
    """From the arguments of the function."""

    @required(headers=lambda fields: fields, manager=jwt_manager)
    def page(fields: Any, *, current_user: Any) -> Any:
        return current_user["user_id"]

    token = jwt_manager.generate_token("ada", [])
    assert page({"Authorization": f"Bearer {token}"}) == "ada"


def test_a_decorator_without_a_manager_or_a_request_says_so() -> None:
    """At the first call; nobody is let in meanwhile."""
    strangers: dict[str, Any] = {"required": required}
    exec("@required()\ndef page(request, *, current_user):\n    return 'in'\n", strangers)

    with pytest.raises(UsageError, match="manager"):
        strangers["page"](Sent("Bearer x"))
    with pytest.raises(UsageError, match="request"):
        anybody(7)
