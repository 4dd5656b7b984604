"""A shop breached step by step, replayed against the guarded tasks API: each step is refused, and seen.

Credential stuffing opened the first accounts, weak authentication kept them open, SQL injection emptied the tables,
any login read any order, stolen partner keys went on for weeks, and a domain that ended like the shop's wrote in its
customers' names. `docs/handbook.md` takes the breach apart; here it happens again.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from garrison.guard.drive import drive
from garrison.stores.protocols import Query
from tests.journeys.places import Answer
from tests.journeys.test_tasks import HOST, JSON, PASSWORD, Client, ada, anyone, bob

__all__ = ["ada", "anyone", "bob"]

ATTACKER = "203.0.113.66"


@pytest.fixture
def attacker(anyone: Client) -> Client:
    """Somebody without an account, on one address."""
    return Client(anyone.place, peer=ATTACKER)


def _login(caller: Client, login: str, password: str) -> Answer:
    return caller("POST", "/api/auth/login", {"login": login, "password": password})


def _code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def _events(caller: Client, code: str) -> list[Any]:
    """What the journal holds, once what waits is written."""
    runtime = caller.place.app.state.garrison
    face = runtime.driven_side.face
    drive(runtime.record.flush(face, runtime.clock.wall(), last=True))
    return [sealed.event for sealed in drive(face.read(Query(code=code)))]


# --- 1: credential stuffing ------------------------------------------------------------------------------------------


def test_1_a_list_of_names_and_passwords_gets_few_tries_from_one_address(attacker: Client, ada: Client) -> None:
    """Control: the address lane of the login throttle, which counts tries over all accounts before any hash.

    One try per account is how stuffing stays below every limit that counts by account.
    """
    tries = [_login(attacker, f"customer{number}", "summer-sale-2019") for number in range(60)]

    statuses = [answer.status for answer in tries]
    refused = statuses.index(429)
    assert refused <= 50
    assert set(statuses[:refused]) == {401}
    assert set(statuses[refused:]) == {429}


def test_1_passwords_of_the_list_are_nobodys_here(attacker: Client) -> None:
    """Control: common passwords and those that hold the account's own name are refused at registration."""
    for password in ("password123", "iloveyou", "qwertyuiop", "dave2026!", "12345678"):
        person = {"username": "dave", "email": "dave@example.com", "password": password}
        answer = attacker("POST", "/api/auth/register", person)

        assert _code(answer) == (422, "body_invalid"), password
        assert [error["path"] for error in answer.json["errors"]] == ["password"]


def test_1_the_list_learns_nothing_about_who_has_an_account(attacker: Client, ada: Client) -> None:
    """Control: known and unknown names get one answer; which of them failed is for the journal."""
    known, unknown = _login(attacker, "ada", "summer-sale-2019"), _login(attacker, "nobody", "summer-sale-2019")

    assert known.status == unknown.status == 401
    assert known.json | {"correlation": ""} == unknown.json | {"correlation": ""}


# --- 2: weak authentication ------------------------------------------------------------------------------------------


def _forged(token: str, header: dict[str, Any], claims: dict[str, Any], signature: str | None = None) -> str:
    parts = token.split(".")
    for at, change in ((0, header), (1, claims)):
        raw = json.loads(_unb64(parts[at])) | change
        parts[at] = urlsafe_b64encode(json.dumps(raw).encode()).rstrip(b"=").decode()
    return ".".join([*parts[:2], parts[2] if signature is None else signature])


def _unb64(text: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    ("header", "claims", "signature"),
    [
        ({"alg": "none"}, {}, ""),
        ({"alg": "None"}, {}, ""),
        ({}, {}, ""),
        ({}, {"sub": "admin"}, None),
        ({}, {"scope": "admin:*"}, None),
        ({}, {"exp": 4_102_444_800}, None),
        ({"kid": "../../dev/null"}, {}, None),
        ({"jku": "https://evil.example/keys"}, {}, None),
        ({"typ": "JWT"}, {}, None),
    ],
)
def test_2_a_changed_token_is_no_token(
    attacker: Client, ada: Client, header: dict[str, Any], claims: dict[str, Any], signature: str | None
) -> None:
    """Control: one key, one algorithm; the token is never asked how it wants to be checked."""
    token = dict(ada.headers)["authorization"].removeprefix("Bearer ")

    answer = attacker.with_token(_forged(token, header, claims, signature))("GET", "/api/tasks")

    assert _code(answer) in [(401, "credential_refused"), (401, "credential_malformed")]


def test_2_a_stolen_token_ends_with_the_login_it_came_from(attacker: Client, anyone: Client) -> None:
    """Control: revocation by session; the thief's copy of either token is dead with the owner's logout."""
    made = anyone(
        "POST", "/api/auth/register", {"username": "ada", "email": "a@example.com", "password": PASSWORD}
    ).json
    thief = attacker.with_token(made["token"])
    assert thief("GET", "/api/me").status == 200

    anyone.with_token(made["token"])("POST", "/api/auth/logout", {"refresh_token": made["refresh_token"]})

    assert _code(thief("GET", "/api/me")) == (401, "credential_refused")
    assert attacker("POST", "/api/auth/refresh", {"refresh_token": made["refresh_token"]}).status == 401


def test_2_a_stolen_store_holds_no_password_and_no_token(anyone: Client, attacker: Client) -> None:
    """Control: passwords by argon2id under a sealed pepper, refresh tokens and keys as keyed hashes."""
    made = anyone(
        "POST", "/api/auth/register", {"username": "ada", "email": "a@example.com", "password": PASSWORD}
    ).json
    key = anyone.with_token(made["token"])("POST", "/api/keys", {"name": "k", "scopes": ["tasks:read"]}).json["key"]
    anyone.place.app.state.garrison.close()

    stolen = b"".join(file.read_bytes() for file in sorted(Path("var").glob("garrison.db*")))
    assert b"ada" in stolen
    for secret in (PASSWORD, made["token"], made["refresh_token"], key, key[-49:]):
        assert secret.encode() not in stolen


# --- 3: SQL injection ------------------------------------------------------------------------------------------------

INJECTIONS = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE tasks; --",
    "' UNION SELECT username, password, 1, 1 FROM user --",
    '" OR ""="',
    "1; ATTACH DATABASE '/tmp/x' AS x",
    "%' AND randomblob(1000000000) --",
    "\\'; --",
    "ada' --",
    "0x27204f522031",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_3_the_login_takes_no_statement(attacker: Client, ada: Client, text: str) -> None:
    """Control: values are bound, never written into a statement."""
    for login, password in ((text, PASSWORD), ("ada", text), (f"ada{text}", PASSWORD)):
        assert _login(attacker, login, password).status in (401, 422)


def test_3_the_lists_filters_take_no_statement(ada: Client) -> None:
    """Control: every parameter has a type, judged before the handler runs."""
    for text, parameter in product(INJECTIONS, ("status", "priority", "page", "limit")):
        answer = ada("GET", "/api/tasks", **{parameter: text})

        assert answer.status == 422, (parameter, text)
        assert "sqlite" not in answer.body.decode().lower()


def test_3_what_looks_like_a_statement_is_a_title_like_any_other(ada: Client, bob: Client) -> None:
    """Control: stored as given; nobody's rows move, and a sort order cannot be smuggled in."""
    mine = ada("POST", "/api/tasks", {"title": "Hers"}).json

    for count, text in enumerate(INJECTIONS, 1):
        made = bob("POST", "/api/tasks", {"title": text})
        assert (made.status, made.json["title"]) == (201, text)
        assert bob("PATCH", f"/api/tasks/{made.json['id']}", {"description": text}).json["description"] == text
        assert bob("GET", "/api/tasks", sort=text, order=text).json["pagination"]["total"] == count
    assert ada("GET", f"/api/tasks/{mine['id']}").json == mine


def test_3_an_id_is_a_number(ada: Client) -> None:
    """Control: paths are read in one way, and the id has a type."""
    ada("POST", "/api/tasks", {"title": "Hers"})

    for number in ("1'--", "1 OR 1=1", "1;DROP", "-1", "0", "1e3", "0x1", "9" * 40):
        path = "/api/tasks/" + "".join(f"%{byte:02x}" for byte in number.encode())
        for method in ("GET", "DELETE"):
            assert ada(method, path).status in (400, 404, 422), number
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 1


# --- 4: any login reads any order ------------------------------------------------------------------------------------


def test_4_a_login_of_ones_own_reads_nobody_elses(ada: Client, bob: Client) -> None:
    """Control: `own = true` and `must_own`; another's thing answers like a missing one."""
    for number in range(5):
        ada("POST", "/api/tasks", {"title": f"order {number}", "description": "card 4111"})

    found = [bob("GET", f"/api/tasks/{number}") for number in range(1, 12)]
    assert {_code(answer) for answer in found} == {(404, "not_found")}
    assert bob("GET", "/api/tasks").json["tasks"] == []
    assert bob("GET", "/api/tasks", owner="user:ada", user_id="ada").json["tasks"] == []


# --- 5: stolen partner keys ------------------------------------------------------------------------------------------


def test_5_a_stolen_key_reads_what_it_was_for_and_makes_nothing(ada: Client, attacker: Client) -> None:
    """Control: scopes of a key are what it was granted; keys, accounts and logins need a person."""
    made = ada("POST", "/api/keys", {"name": "partner", "scopes": ["tasks:read"]}).json
    thief = attacker.with_key(made["key"])

    assert thief("GET", "/api/tasks").status == 200
    assert _code(thief("POST", "/api/tasks", {"title": "x"})) == (403, "scope_missing")
    for method, path in (
        ("GET", "/api/keys"),
        ("POST", "/api/keys"),
        ("POST", f"/api/keys/{made['id']}/rotate"),
        ("DELETE", f"/api/keys/{made['id']}"),
    ):
        assert thief(method, path, {"name": "mine", "scopes": ["tasks:write"]}).status in (401, 403)


def test_5_a_key_ends_when_its_owner_says_so(ada: Client, attacker: Client) -> None:
    """Control: revocation reaches the hot cache at once."""
    made = ada("POST", "/api/keys", {"name": "partner", "scopes": ["tasks:read"]}).json
    thief = attacker.with_key(made["key"])
    assert [thief("GET", "/api/tasks").status for _ in range(3)] == [200] * 3

    ada("DELETE", f"/api/keys/{made['id']}")

    assert _code(thief("GET", "/api/tasks")) == (401, "credential_refused")


def test_5_a_key_cannot_be_made_with_more_than_its_owner_has(ada: Client) -> None:
    """Control: what is granted is cut to what the owner may."""
    answer = ada("POST", "/api/keys", {"name": "root", "scopes": ["tasks:read", "admin:*"]})

    assert answer.status in (403, 422)
    assert len(ada("GET", "/api/keys").json.get("keys", [])) == 0


# --- 6: domain spoofing ----------------------------------------------------------------------------------------------

SPOOFED = [
    "http://localhost:5173.evil.example",
    "http://evil-localhost:5173",
    "http://localhost:51730",
    "https://localhost:5173",
    "http://localhost:5173@evil.example",
    "http://LOCALHOST:5173",
    "http://localhost:5173/",
    "http://localhost",
    "null",
    "file://",
]


def test_6_a_domain_that_looks_like_ours_is_another(ada: Client) -> None:
    """Control: origins are compared whole and byte for byte."""
    for origin in SPOOFED:
        asked = (HOST, ("origin", origin), ("access-control-request-method", "POST"))
        preflight = ada.place.call("OPTIONS", "/api/tasks", asked)
        actual = ada.place.call("GET", "/api/tasks", (HOST, ("origin", origin), *ada.headers))

        assert _code(preflight) == (403, "cors_refused"), origin
        for answer in (preflight, actual):
            assert not [name for name, _ in answer.headers if name.startswith("access-control-allow")], origin


def test_6_a_page_of_another_site_writes_nothing_with_the_customers_browser(ada: Client) -> None:
    """Control: no authority is ambient; a form, an image or a fetch brings a cookie along and no token."""
    browser = (
        HOST,
        ("origin", "https://evil.example"),
        ("cookie", "session=ada; token=x"),
        ("sec-fetch-site", "cross-site"),
    )
    forms = ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json")

    for kind in forms:
        answer = ada.place.call("POST", "/api/tasks", (*browser, ("content-type", kind)), b'{"title": "theirs"}')
        assert answer.status == 401
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 0


@pytest.mark.parametrize("host", ["localhost.evil.example", "tasks.example.evil.example", "evil.example:8000"])
def test_6_a_name_that_points_at_us_is_not_us(ada: Client, host: str) -> None:
    """Control: hosts that are served are listed; all others are misdirected."""
    assert ada.place.call("GET", "/api/tasks", (("host", host), *ada.headers)).status == 421


# --- 7: three weeks in which nobody noticed --------------------------------------------------------------------------


def test_7_every_step_is_in_the_journal_and_none_of_its_secrets(attacker: Client, ada: Client, bob: Client) -> None:
    """Control: refusals are events with a code, an address and a reason; repeated ones are counted, not dropped."""
    made = ada("POST", "/api/tasks", {"title": "Hers"}).json
    for number in range(20):
        _login(attacker, "ada", f"summer-sale-{number}")
    attacker.with_key("tasks_sk_dev_000000000000_" + "0" * 49)("GET", "/api/tasks")
    bob("GET", f"/api/tasks/{made['id']}")
    attacker.place.call(
        "OPTIONS", "/api/tasks", (HOST, ("origin", SPOOFED[0]), ("access-control-request-method", "PUT"))
    )

    failed = _events(attacker, "authn_login_fail") + _events(attacker, "authn_login_fail_max")
    assert sum(event.count for event in failed) >= 20
    assert {event.address for event in failed} == {ATTACKER}
    assert [event.address for event in _events(attacker, "authn_fail")] == [ATTACKER]
    assert len(_events(attacker, "malicious_cors")) == 1
    assert "summer-sale" not in repr(failed)


def test_7_the_journal_cannot_be_filled_by_one_attacker(attacker: Client) -> None:
    """Control: ten records of one subject and reason a minute, then one with a count."""
    for _ in range(60):
        attacker.place.call("GET", "/api/tasks", (HOST, JSON), peer=ATTACKER)

    events = _events(attacker, "authn_fail")
    assert len(events) <= 12
    assert sum(event.count for event in events) == 60
