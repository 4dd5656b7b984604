"""A user's own keys: shown once, within the user's rights, nobody else's."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from garrison.accounts.endpoints import mounts
from garrison.accounts.keys import PAGE
from garrison.credentials.key_record import KEYS
from garrison.model.principal import Principal
from garrison.policy.schema import Accounts
from tests.accounts.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.register()
    world.register("bob")
    return world


@pytest.fixture
def ada(world: World) -> Principal:
    return world.principal(world.login().json["token"])


@pytest.fixture
def bob(world: World) -> Principal:
    return world.principal(world.login("bob").json["token"])


def test_a_key_is_shown_once(world: World, ada: Principal) -> None:
    made = world.call("create_key", {"name": "laptop", "scopes": ["tasks:read"]}, principal=ada)

    assert made.status == 201
    assert re.fullmatch(r"grsn_sk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", made.json["key"])
    listed = world.call("list_keys", principal=ada)
    assert [key["id"] for key in listed.json["keys"]] == [made.json["id"]]
    assert made.json["key"] not in repr(listed.json)
    assert made.json["key"].rpartition("_")[2] not in repr(asyncio.run(world.records.find(KEYS, "", "")))


def test_rotation_shows_the_new_secret_once(world: World, ada: Principal) -> None:
    made = world.call("create_key", {"name": "laptop"}, principal=ada).json

    rotated = world.call("rotate_key", principal=ada, id=made["id"])

    assert rotated.status == 200
    assert rotated.json["id"] == made["id"]
    assert rotated.json["key"] != made["key"]


def test_revoking_answers_204(world: World, ada: Principal) -> None:
    made = world.call("create_key", {"name": "laptop"}, principal=ada).json

    assert world.call("revoke_key", principal=ada, id=made["id"]).status == 204
    assert world.call("revoke_key", principal=ada, id=made["id"]).status == 409
    assert world.call("list_keys", principal=ada).json["keys"][0]["status"] == "revoked"


@pytest.mark.parametrize("call", ["rotate_key", "revoke_key"])
def test_anothers_key_answers_like_a_missing_one(world: World, ada: Principal, bob: Principal, call: str) -> None:
    made = world.call("create_key", {"name": "laptop"}, principal=ada).json

    others, missing = world.call(call, principal=bob, id=made["id"]), world.call(call, principal=bob, id="nothing000")

    assert others.status == 404
    assert others.public == missing.public
    assert world.call("list_keys", principal=bob).json == {"keys": []}


@pytest.mark.parametrize("scopes", [["admin:*"], ["tasks:*"], ["tasks:read", "tasks:delete"]])
def test_a_key_has_no_right_that_its_maker_lacks(world: World, ada: Principal, scopes: list[str]) -> None:
    answer = world.call("create_key", {"name": "x", "scopes": scopes}, principal=ada)

    assert (answer.status, answer.code) == (403, "scope_missing")


def test_a_key_makes_no_keys(world: World, ada: Principal) -> None:
    """Twice held: the row takes tokens alone, and the service refuses a key whatever the row says."""
    made = world.call("create_key", {"name": "x", "scopes": ["tasks:read"]}, principal=ada).json
    key = msgspec.structs.replace(ada, credential=f"key:{made['id']}")

    assert world.call("create_key", {"name": "y"}, principal=key).status == 403
    assert world.call("list_keys", principal=key).status == 403
    assert world.call("rotate_key", principal=key, id=made["id"]).status == 403
    assert world.call("revoke_key", principal=key, id=made["id"]).status == 403


def test_every_row_of_keys_demands_a_fresh_login_with_a_token() -> None:
    rows = [row for prefix, row in mounts(Accounts(fresh="3m")) if prefix == "/keys"]

    assert len(rows) == 4
    assert all(row.demands["credentials"] == ("jwt",) for row in rows)
    assert all(row.demands["require"] == {"fresh": "3m"} for row in rows)
    assert not any(row.demands["public"] for row in rows)


def test_keys_are_few_per_person(world: World, ada: Principal) -> None:
    answers = [world.call("create_key", {"name": f"k{n}"}, principal=ada) for n in range(21)]

    assert [answer.status for answer in answers] == [201] * 20 + [409]
    assert answers[-1].code == "key_too_many"


def test_a_key_that_cannot_be_changed_says_why(world: World, ada: Principal) -> None:
    """`conflict` alone would say that it exists already."""
    made = world.call("create_key", {"name": "laptop"}, principal=ada).json
    rotated = [world.call("rotate_key", principal=ada, id=made["id"]) for _ in range(3)]
    world.call("revoke_key", principal=ada, id=made["id"])

    assert [answer.code for answer in rotated] == ["", "", "key_secrets_full"]
    assert world.call("rotate_key", principal=ada, id=made["id"]).code == "key_dead"
    assert world.call("revoke_key", principal=ada, id=made["id"]).code == "key_dead"


def test_instants_are_texts(world: World, ada: Principal) -> None:
    """As everywhere in answers (RFC 3339); what never ends or was never used is null, and not the year 1970."""
    made = world.call("create_key", {"name": "laptop", "expires_in": "90d"}, principal=ada).json
    (listed,) = world.call("list_keys", principal=ada).json["keys"]

    assert (made["created"], made["expires"]) == ("2027-01-15T08:00:00Z", "2027-04-15T08:00:00Z")
    assert listed == {name: made[name] for name in listed}
    (secret,) = listed["secrets"]
    assert (secret["created"], secret["expires"], secret["last_used"]) == (made["created"], None, None)
    assert secret["idle"] == "0s"
    assert world.call("create_key", {"name": "other"}, principal=ada).json["expires"] is None


def test_a_long_list_comes_in_pages(world: World, ada: Principal) -> None:
    """Revoked keys stay listed for 90 days, so there may be many more than living ones."""
    made = []
    for number in range(PAGE + 3):
        made.append(world.call("create_key", {"name": f"k{number}"}, principal=ada).json["id"])
        world.call("revoke_key", principal=ada, id=made[-1])

    first = world.call("list_keys", principal=ada)
    listed = [key["id"] for key in first.json["keys"]]
    rest = world.call("list_keys", principal=ada, query=f"after={listed[-1]}")

    assert len(listed) == PAGE
    assert (b"link", f'<?after={listed[-1]}>; rel="next"'.encode()) in first.headers
    assert listed + [key["id"] for key in rest.json["keys"]] == sorted(made)
    assert b"link" not in dict(rest.headers)
    assert world.call("list_keys", principal=ada, query=f"after={max(made)}").json == {"keys": []}


@pytest.mark.parametrize("query", ["after=", "after=%00", "after=a&after=b", "after=" + "a" * 65, "after=%C3%A9"])
def test_a_place_to_go_on_from_that_is_none_is_refused(world: World, ada: Principal, query: str) -> None:
    """Begun anew, a walk through the list would never end."""
    answer = world.call("list_keys", principal=ada, query=query)

    assert (answer.status, answer.code) == (422, "query_invalid")


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x", "scopes": "tasks:read"}, {"name": "x", "owner": "user:y"}]
)
def test_a_body_that_is_not_as_it_must_be(world: World, ada: Principal, body: dict[str, str]) -> None:
    assert world.call("create_key", body, principal=ada).status == 422


@pytest.mark.parametrize("call", ["list_keys", "create_key", "rotate_key", "revoke_key"])
def test_nobody_owns_no_key(world: World, call: str) -> None:
    """A policy that only observes lets an anonymous request come this far."""
    answer = world.call(call, {"name": "x"}, id="x")

    assert (answer.status, answer.code) == (401, "credential_missing")
    assert asyncio.run(world.records.find(KEYS, "", "")) == ()
