"""Differences: all of them, in words, and those that weaken called by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from garrison.policy.diff import diff, forbidden_live
from garrison.policy.load import read
from garrison.policy.schema import Policy, Secrets, Stores
from tests.policy.policies import POLICIES

BASE = """
service = "notes"
hosts = ["api.example.com"]
[secrets]
root = "file:/run/secrets/garrison"
[stores]
records = "sqlite:/var/lib/notes.db"
[forwarded]
peers = ["10.0.0.0/8"]
[defaults]
limit = "50/s burst 500 per principal"
[cors.web]
origins = ["https://app.example.com"]
methods = ["GET"]
credentials = false
[cors.loose]
origins = ["http://partner.example"]
credentials = true
dangerously_allow_insecure_origins = true
[headers.api]
hsts = "730d"
locked = true
[jwt.issuers.corp]
issuer = "https://id.example.com"
jwks = "https://id.example.com/jwks"
audience = "notes"
scopes = ["notes:read"]
[accounts]
scopes = ["notes:read"]
register = false
[routes]
"GET /notes" = { scopes = ["notes:read"], cors = "web" }
"POST /both" = { credentials = { all = ["key", "jwt"] }, sets_cookie = true }
"GET /old" = {}
[routes."PUT /notes/{id}"]
scopes = ["notes:write"]
own = true
credentials = ["key"]
require = { fresh = "5m", methods = ["otp"] }
limit = ["5/s per key", "at most 5 in 1h"]
body = "note.json"
max_body = "1KiB"
"""


def policy(text: str, environment: str = "production") -> Policy:
    found = read(text, environment).policy
    assert found is not None
    return found


def change(old: str, new: str) -> list[tuple[str, bool]]:
    """What differs after one replacement in the file."""
    assert old in BASE
    return [(each.path, each.weaker) for each in diff(policy(BASE), policy(BASE.replace(old, new)))]


@given(POLICIES, POLICIES)
def test_there_is_a_difference_exactly_where_policies_differ(one: Policy, other: Policy) -> None:
    assert diff(one, one) == ()
    assert bool(diff(one, other)) == (one != other)


def test_writing_a_default_down_is_no_change() -> None:
    assert change('service = "notes"', 'service = "notes"\nworkers = 1\nmode = "enforce"') == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"GET /old" = {}', '"GET /old" = {}\n"GET /new" = {}', 'routes."GET /new"'),
        ('"GET /old" = {}', '"GET /old" = { public = true }', 'routes."GET /old".public'),
        ('scopes = ["notes:read"], cors', "cors", 'routes."GET /notes".scopes'),
        ("own = true\n", "", 'routes."PUT /notes/{id}".own'),
        ('credentials = ["key"]', 'credentials = ["key", "jwt"]', 'routes."PUT /notes/{id}".credentials'),
        ('credentials = ["key"]', "", 'routes."PUT /notes/{id}".credentials'),
        ('{ all = ["key", "jwt"] }', '["key", "jwt"]', 'routes."POST /both".credentials'),
        ('{ all = ["key", "jwt"] }', '{ all = ["key"] }', 'routes."POST /both".credentials'),
        ('require = { fresh = "5m", methods = ["otp"] }', "", 'routes."PUT /notes/{id}".require'),
        ('fresh = "5m", methods', 'fresh = "6m", methods', 'routes."PUT /notes/{id}".require'),
        ('fresh = "5m", methods = ["otp"]', 'fresh = "5m"', 'routes."PUT /notes/{id}".require'),
        ('fresh = "5m", methods = ["otp"]', 'methods = ["otp"]', 'routes."PUT /notes/{id}".require'),
        ('"5/s per key"', '"6/s per key"', 'routes."PUT /notes/{id}".limit'),
        ('"5/s per key"', '"5/s burst 6 per key"', 'routes."PUT /notes/{id}".limit'),
        ('"5/s per key"', '"5/s per principal"', 'routes."PUT /notes/{id}".limit'),
        ('"5/s per key"', '"5/s per key observe"', 'routes."PUT /notes/{id}".limit'),
        ('"5/s per key", ', "", 'routes."PUT /notes/{id}".limit'),
        ('"at most 5 in 1h"', '"at most 5 in 59m"', 'routes."PUT /notes/{id}".limit'),
        ('body = "note.json"', "", 'routes."PUT /notes/{id}".body'),
        ('body = "note.json"', 'body = "other.json"', 'routes."PUT /notes/{id}".body'),
        ('"GET /old" = {}', '"GET /old" = { content = ["application/json", "a/b"] }', 'routes."GET /old".content'),
        ('max_body = "1KiB"', 'max_body = "2KiB"', 'routes."PUT /notes/{id}".max_body'),
        ('max_body = "1KiB"', "", 'routes."PUT /notes/{id}".max_body'),
        ("sets_cookie = true", "sets_cookie = false", 'routes."POST /both".sets_cookie'),
        ('"GET /old" = {}', '"GET /old" = { cors = "web" }', 'routes."GET /old".cors'),
        ('"GET /old" = {}', '"GET /old" = { mode = "observe" }', 'routes."GET /old".mode'),
        ('"GET /old" = {}', '"GET /old" = { headers = "html" }', 'routes."GET /old".headers'),
        ('limit = "50/s burst 500 per principal"', "", "defaults.limit"),
        ('["https://app.example.com"]', '["https://app.example.com", "https://b.example.com"]', "cors.web.origins"),
        ('methods = ["GET"]', 'methods = ["GET", "PUT"]', "cors.web.methods"),
        ("credentials = false", "credentials = true", "cors.web.credentials"),
        ("credentials = false", 'max_age = "1h"', "cors.web.max_age"),
        ('hsts = "730d"', 'hsts = "365d"', "headers.api.hsts"),
        ("locked = true", "locked = false", "headers.api.locked"),
        ("locked = true", "locked = true\ncsp = \"default-src 'self'; frame-ancestors 'none'\"", "headers.api.csp"),
        ('service = "notes"', 'service = "notes"\nmode = "observe"', "mode"),
        ('hosts = ["api.example.com"]', 'hosts = ["api.example.com", "b.example.com"]', "hosts"),
        ('["10.0.0.0/8"]', '["10.0.0.0/8", "192.0.2.0/24"]', "forwarded.peers"),
        ('["10.0.0.0/8"]', '["10.0.0.0/8"]\nhops = 9', "forwarded.hops"),
        ("[cors.web]", '[caps]\nbody = "2MiB"\n[cors.web]', "caps.body"),
        ("[cors.web]", "[caps]\ndepth = 99\n[cors.web]", "caps.depth"),
        ("[cors.web]", '[caps]\nbody_time = "11s"\n[cors.web]', "caps.body_time"),
        ("[cors.web]", '[jwt]\naccess = "16m"\n[cors.web]', "jwt.access"),
        ("[cors.web]", '[keys]\noverlap = "25h"\n[cors.web]', "keys.overlap"),
        ("[cors.web]", '[audit]\nkeep = "399d"\n[cors.web]', "audit.keep"),
        ('"notes"\nscopes = ["notes:read"]', '"notes"\nscopes = ["notes:*"]', "jwt.issuers.corp.scopes"),
        ("id.example.com/jwks", "id.example.com/keys", "jwt.issuers.corp.jwks"),
        ('[accounts]\nscopes = ["notes:read"]', '[accounts]\nscopes = ["notes:read", "a"]', "accounts.scopes"),
        ("register = false", "register = true", "accounts.register"),
        ("register = false", "register = false\npassword_length = 14", "accounts.password_length"),
        ("register = false", 'register = false\nfailures = "at most 6 in 15m"', "accounts.failures"),
        ("register = false", 'register = false\nfresh = "6m"', "accounts.fresh"),
    ],
)
def test_what_weakens_is_called_weaker(old: str, new: str, path: str) -> None:
    assert (path, True) in change(old, new)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"GET /old" = {}\n', "", 'routes."GET /old"'),
        ('"GET /old" = {}', '"GET /old" = { scopes = ["a"] }', 'routes."GET /old".scopes'),
        ('"GET /old" = {}', '"GET /old" = { own = false }', 'routes."GET /old".own'),
        ('"GET /old" = {}', '"GET /old" = { credentials = ["key", "jwt"] }', 'routes."GET /old".credentials'),
        ('"GET /old" = {}', '"GET /old" = { credentials = { all = ["key", "jwt"] } }', 'routes."GET /old".credentials'),
        ('"GET /old" = {}', '"GET /old" = { require = { fresh = "1m" } }', 'routes."GET /old".require'),
        ('"GET /old" = {}', '"GET /old" = { limit = ["5/s per principal", "1/s"] }', 'routes."GET /old".limit'),
        ('"GET /old" = {}', '"GET /old" = { body = "note.json" }', 'routes."GET /old".body'),
        ('"GET /old" = {}', '"GET /old" = { max_body = "1MiB" }', 'routes."GET /old".max_body'),
        ('fresh = "5m", methods', 'fresh = "4m", methods', 'routes."PUT /notes/{id}".require'),
        ('cors = "web" }', 'cors = "none" }', 'routes."GET /notes".cors'),
        ('hsts = "730d"', 'hsts = "731d"', "headers.api.hsts"),
        ('methods = ["GET"]', "methods = []", "cors.web.methods"),
        ('"notes"\nscopes = ["notes:read"]', '"notes"\nscopes = []', "jwt.issuers.corp.scopes"),
        ("[cors.web]", '[caps]\nbody = "1KiB"\n[cors.web]', "caps.body"),
        ("[cors.web]", "[keys]\ncache = 7\n[cors.web]", "keys.cache"),
    ],
)
def test_what_does_not_weaken_is_not(old: str, new: str, path: str) -> None:
    assert change(old, new) == [(path, False)]


def test_a_new_issuer_and_new_accounts_weaken() -> None:
    without = BASE.partition("[jwt.issuers.corp]")[0] + "[routes]\n" + BASE.partition("[routes]\n")[2]
    changes = {each.path: each.weaker for each in diff(policy(without), policy(BASE))}

    assert changes == {"jwt.issuers.corp": True, "accounts": True}
    assert not any(each.weaker for each in diff(policy(BASE), policy(without)))


def test_a_default_that_a_route_writes_out_is_judged_by_what_it_was() -> None:
    """`own = true` under [defaults] made the route owned; saying `own = false` there weakens it."""
    old = policy('[defaults]\nown = true\n[routes]\n"GET /a/{id}" = {}')
    new = policy('[defaults]\nown = true\n[routes]\n"GET /a/{id}" = { own = false }')

    assert [(each.path, each.weaker) for each in diff(old, new)] == [('routes."GET /a/{id}".own', True)]


def test_what_takes_a_restart_says_so() -> None:
    new = BASE.replace("/var/lib/notes.db", "/srv/notes.db").replace('"api.example.com"', '"b.example.com"')

    assert {each.path: each.restart for each in diff(policy(BASE), policy(new))} == {
        "hosts": False,
        "stores.records": True,
    }


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("environment", {"environment": "staging"}),
        ("service", {"service": "other"}),
        ("workers", {"workers": 2}),
        ("secrets.root", {"secrets": Secrets(root="env:OTHER")}),
        ("secrets.old_roots", {"secrets": Secrets(root="file:/run/secrets/garrison", old_roots=("env:OLD",))}),
        ("stores.records", {"stores": Stores(records="memory:")}),
        ("stores.counter_keys", {"stores": Stores(records="sqlite:/var/lib/notes.db", counter_keys=9)}),
    ],
)
def test_what_holds_until_the_next_start_may_not_be_changed_while_serving(field: str, change: dict[str, Any]) -> None:
    """The stores are open, the keys are derived, and whose things are whose hangs on the service's name."""
    (problem,) = forbidden_live(policy(BASE), replace(policy(BASE), **change))

    assert (problem.rule, problem.path) == ("GP072", field)


def test_a_dangerous_switch_that_takes_a_restart_says_so_too() -> None:
    old = policy(BASE.replace("dangerously_allow_insecure_origins = true", "").replace("http://p", "https://p"))
    found = [str(each) for each in diff(old, policy(BASE)) if each.dangerous]

    assert found == ["cors.loose.dangerously_allow_insecure_origins: false becomes true (weaker, takes a restart)"]


def test_a_dangerous_switch_cannot_be_turned_on_by_leaving_production() -> None:
    """From Python another environment could come with it; both are refused."""
    old = policy(BASE.replace("dangerously_allow_insecure_origins = true", "").replace("http://p", "https://p"))
    problems = forbidden_live(old, policy(BASE, "development"))

    assert [problem.rule for problem in problems] == ["GP072", "GP074"]


def test_a_change_is_one_line_of_words() -> None:
    new = BASE.replace('"GET /old" = {}', '"GET /new" = { public = true }').replace('["notes:write"]', '["notes:read"]')

    assert [str(each) for each in diff(policy(BASE), policy(new))] == [
        'routes."GET /old" is gone, was {}',
        'routes."PUT /notes/{id}".scopes: ["notes:write"] becomes ["notes:read"] (weaker)',
        'routes."GET /new" is new: { public = true } (weaker)',
    ]


def test_a_dangerous_switch_may_not_be_turned_on_while_serving_in_production() -> None:
    old = BASE.replace("credentials = true\ndangerously_allow_insecure_origins = true", "credentials = false")
    (problem,) = forbidden_live(policy(old), policy(BASE))

    assert (problem.rule, problem.path) == ("GP074", "cors.loose.dangerously_allow_insecure_origins")
    assert forbidden_live(policy(BASE), policy(old)) == ()
    assert forbidden_live(policy(BASE), policy(BASE)) == ()
    assert forbidden_live(policy(old, "staging"), policy(BASE, "staging")) == ()


def test_a_dangerous_switch_inside_a_new_table_is_one_too() -> None:
    old = BASE.replace("[cors.loose]", "[cors.tight]").replace("dangerously_allow_insecure_origins = true", "")
    old = old.replace('"http://partner.example"', '"https://partner.example"')

    assert [problem.path for problem in forbidden_live(policy(old), policy(BASE))] == ["cors.loose"]
