"""Where a rule begins to bite, beyond its two examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from garrison.errors import Problem
from garrison.model.http.endpoint import Call, Endpoint
from garrison.model.http.response import Response
from garrison.policy.lint import RULES, lint
from garrison.policy.load import read
from garrison.policy.schema import Defaults, Policy, Route

ISSUER = (
    '[jwt.issuers.corp]\nissuer = "https://id.example.com"\naudience = "notes"\njwks = "{}"\nscopes = ["notes:read"]\n'
)
WEB = '[cors.web]\norigins = ["https://app.example.com"]\n'
POSTGRES = 'workers = 2\n[stores]\nrecords = "postgresql://a@127.0.0.1/a"\ncounters = "records:"\n'
SQLITE = POSTGRES.replace("postgresql://a@127.0.0.1/a", "sqlite:a")


def numbers(text: str, environment: str = "production") -> set[str]:
    return {problem.rule for problem in read(text, environment).problems}


BITES = [
    ("GP010", "", "production", True),
    ("GP010", "", "development", False),
    ("GP011", "", "development", False),
    ("GP012", 'hosts = ["localhost"]', "development", False),
    ("GP013", '[forwarded]\npeers = ["::/0"]', "production", True),
    ("GP014", '[forwarded]\npeers = ["::/0"]', "production", False),
    ("GP014", '[forwarded]\npeers = ["2000::/3"]', "production", True),
    ("GP015", "[caps]\nfields = 200000", "production", True),
    ("GP016", '[caps]\nbody_time = "0s"', "production", True),
    ("GP016", '[caps]\nbody = "0B"', "production", False),
    ("GP020", '[routes]\n"GET /a/{x:int}" = {}\n"GET /a/{y}" = {}', "production", False),
    ("GP020", '[routes]\n"GET /a/{x:path}" = {}\n"GET /a/{y:path}" = {}', "production", True),
    ("GP021", '[routes]\n"GET /a/{x:int}" = {}\n"GET /a/{y:uuid}" = {}', "production", True),
    ("GP021", '[routes]\n"GET /a/{x}" = {}\n"PUT /{y}/b" = {}', "production", False),
    ("GP021", '[routes]\n"GET /{y}/b" = {}\n"GET /a/{rest:path}" = {}', "production", True),
    ("GP022", '[routes]\n"GET /{rest:path}" = {}\n"GET /a" = {}', "production", True),
    ("GP025", '[routes]\n"GET /a/" = {}\n"PUT /a" = {}', "production", False),
    ("GP027", '[routes]\n"GET /{page}" = { public = true }', "production", False),
    ("GP029", '[routes]\n"POST /a" = { body = "a.json" }', "production", False),
    ("GP034", '[defaults]\nown = true\n[routes]\n"GET /a/{id}" = { public = true }', "production", True),
    ("GP036", '[routes]\n"GET /a" = { credentials = { all = [] } }', "production", True),
    (
        "GP038",
        '[routes]\n"GET /a" = { credentials = { all = ["key"] }, require = { methods = ["otp"] } }',
        "production",
        True,
    ),
    ("GP040", '[defaults]\nown = false\n[routes]\n"GET /a/{id}" = {}', "production", False),
    ("GP043", '[routes]\n"GET /a" = { credentials = ["jwt"], scopes = ["a:b"] }', "production", False),
    (
        "GP043",
        ISSUER.format("https://x.example/") + '[routes]\n"GET /a" = { credentials = ["jwt"], scopes = ["a:b"] }',
        "production",
        True,
    ),
    ("GP043", "[accounts]\n" + '[routes]\n"GET /a" = { scopes = ["a:b"] }', "production", False),
    ("GP045", '[accounts]\nscopes = ["notes:admin"]', "production", True),
    ("GP045", '[accounts]\nscopes = ["administration:read"]', "production", False),
    (
        "GP049",
        '[routes]\n"GET /a" = { scopes = ["v1:notes:read"] }\n"GET /b" = { scopes = ["v2:notes:read"] }',
        "production",
        False,
    ),
    ("GP024", '[routes]\n"GET|HEAD /a" = {}', "production", False),
    ("GP024", '[routes]\n"GET /a" = {}\n"HEAD /b" = {}', "production", False),
    ("GP024", '[routes]\n"HEAD /a/new" = {}\n"GET /a/{id}" = {}', "production", True),
    ("GP024", '[routes]\n"GET /a/new" = {}\n"HEAD /{rest:path}" = {}', "production", True),
    ("GP052", '[defaults]\nlimit = ["5/s per key", "5/s per principal"]', "production", False),
    ("GP053", '[defaults]\nlimit = "1/s burst 3600 per key"', "production", False),
    ("GP053", '[defaults]\nlimit = "1/s burst 3601 per key"', "production", True),
    ("GP055", '[accounts]\nlogins = "5/s burst 50 fast"', "development", True),
    ("GP055", '[accounts]\nlogins = "5/s burst 50 else closed"', "development", False),
    ("GP056", '[accounts]\nfailures = "at most 50 in 15m"', "production", True),
    ("GP056", '[accounts]\nfailures = "at most 40 in 15m"', "production", False),
    ("GP181", POSTGRES + '[defaults]\nlimit = "9/s per key local"', "production", True),
    (
        "GP181",
        POSTGRES.replace("postgresql://a@127.0.0.1/a", "sqlite:a") + '[defaults]\nlimit = "9/s local"',
        "production",
        False,
    ),
    ("GP184", '[defaults]\nlimit = "9/s else open"\n[routes]\n"POST /a" = { priority = "login" }', "production", True),
    ("GP184", '[defaults]\nlimit = "9/s else open"\n[routes]\n"POST /a" = {}', "production", False),
    ("GP127", '[routes]\n"PUT /a" = { body = "a.json", content = ["application/a+json"] }', "production", False),
    ("GP127", '[defaults]\ncontent = ["a/b"]\n[routes]\n"PUT /a" = { body = "a.json" }', "production", False),
    ("GP128", '[defaults]\ncontent = ["*/*"]', "production", True),
    ("GP128", '[routes]\n"PUT /a" = { content = ["image/*"] }', "production", False),
    (
        "GP059",
        '[routes]\n"GET /a" = { public = true, limit = "5/s per key", credentials = ["jwt"] }',
        "production",
        False,
    ),
    (
        "GP060",
        ISSUER.format("https://x.example/") + 'tenant = "acme"\n[defaults]\nlimit = "5/s per tenant"',
        "production",
        False,
    ),
    ("GP013", '[forwarded]\npeers = ["::ffff:0.0.0.0/96"]', "production", True),
    ("GP013", '[forwarded]\npeers = ["64:ff9b::/96"]', "production", True),
    ("GP013", '[forwarded]\npeers = ["unix"]', "production", False),
    ("GP014", '[forwarded]\npeers = ["::ffff:8.0.0.0/102"]', "production", True),
    ("GP014", '[forwarded]\npeers = ["unix", "10.0.0.0/8", "fc00::/7"]', "production", False),
    ("GP062", '[defaults]\ncors = "none"', "production", False),
    ("GP066", WEB + 'methods = ["*"]\n[routes]\n"PUT /a" = { cors = "web" }', "production", False),
    (
        "GP067",
        WEB + 'headers = ["content-type"]\n[routes]\n"GET /a" = { cors = "web", public = true }',
        "production",
        False,
    ),
    ("GP067", WEB + 'headers = ["X-API-Key"]\n[routes]\n"GET /a" = { cors = "web" }', "production", False),
    ("GP070", '[headers.api]\nhsts = "0s"', "staging", False),
    (
        "GP083",
        'service = "notes"\n' + ISSUER.format("https://x.example/").replace("https://id.example.com", "notes"),
        "production",
        True,
    ),
    ("GP087", '[keys]\nenvironment = "live"', "development", False),
    ("GP073", "[accounts]\nhash_memory = 7\nhash_passes = 5", "production", False),
    (
        "GP095",
        '[accounts]\nfailures = "at most 30 in 15m"\nfailures_per_address = "at most 20 in 1h"',
        "production",
        False,
    ),
    ("GP096", '[secrets]\nold_roots = ["env:A"]', "production", False),
    ("GP101", "[cors.web]\norigins = []", "production", True),
    ("GP114", '[cors.web]\norigins = ["http://a.example"]\ncredentials = true', "production", True),
    ("GP133", 'hosts = ["app.example.com"]\n' + WEB, "production", True),
    ("GP134", WEB + 'headers = []\n[routes]\n"GET /a" = { cors = "web" }', "production", True),
    ("GP135", WEB + 'methods = ["PUT"]\n[routes]\n"GET /a" = { cors = "web" }', "production", True),
    ("GP135", WEB + '[routes]\n"GET /a" = { cors = "web" }', "production", False),
    (
        "GP136",
        '[cors.web]\norigins = ["*"]\n[routes]\n"GET /a" = { cors = "web", sets_cookie = true }',
        "production",
        True,
    ),
    ("GP136", '[cors.web]\norigins = ["*"]\n[routes]\n"GET /a" = { cors = "web" }', "production", False),
    ("GP152", "[headers.api]\nhsts_preload = true\nhsts_subdomains = false", "production", True),
]


@pytest.mark.parametrize(("number", "text", "environment", "bites"), BITES)
def test_where_a_rule_begins_to_bite(number: str, text: str, environment: str, bites: bool) -> None:
    assert (number in numbers(text, environment)) is bites


def test_there_are_more_than_forty_rules_and_no_number_twice() -> None:
    assert len(RULES) > 80
    assert all(number == rule.number and number.startswith("GP") for number, rule in RULES.items())
    assert {rule.severity for rule in RULES.values()} == {"error", "warning"}
    assert all(rule.title.endswith(".") and rule.why.endswith(".") for rule in RULES.values())


def test_schemas_are_read_where_files_can_be(tmp_path: Path) -> None:
    (tmp_path / "ill.json").write_text('{"type": "strange"}')

    def found(policy: Policy) -> list[Problem]:
        problems = lint(policy, files=lambda name: (tmp_path / name).read_bytes())
        return [problem for problem in problems if problem.rule == "GP029"]

    (ill,) = found(Policy(routes={"POST /a": Route(body="ill.json")}))
    (missing,) = found(Policy(defaults=Defaults(body="none.json"), routes={"POST /a": Route()}))

    assert (ill.path, ill.remedy) == ('routes."POST /a".body', "Mend the schema")
    assert (missing.path, missing.remedy) == ("defaults.body", "Write the file")


async def _nothing(_: Call, __: object) -> Response:
    return Response(204)


def test_an_endpoint_counts_as_a_route_and_is_not_complained_about() -> None:
    """What an endpoint demands by itself is no line of the file, and nobody can mend it there."""
    endpoint = Endpoint(name="me", method="GET", path="/me", run=_nothing, demands={"scopes": ["me:read"]})
    policy = read('[accounts]\nscopes = ["me:read"]\n[routes]\n"GET /{page}" = { own = false }').policy
    assert policy is not None

    with_endpoint = {problem.rule for problem in lint(policy, endpoints=[("", endpoint, None)])}
    alone = {problem.rule for problem in lint(policy)}

    assert alone - with_endpoint == {"GP044"}
    assert with_endpoint <= alone


WORDS = st.sampled_from(
    ["notes:read", "invoices:write", "notifications:archive", "a" * 20 + ":b", "v1:reports:print-all"]
)


@st.composite
def scopes(draw: st.DrawFn) -> str:
    """A word with a letter or two put in, left out or exchanged."""
    word = draw(WORDS)
    for _ in range(draw(st.integers(0, 3))):
        place, letter = draw(st.integers(0, len(word) - 1)), draw(st.sampled_from("ersn17-"))
        word = word[:place] + draw(st.sampled_from([letter, "", letter + word[place]])) + word[place + 1 :]
    return word if word.strip(":") == word and word else "x:y"


@given(st.lists(scopes(), max_size=12))
@example(["a" * 13 + "b", "a" * 13 + "bc"])
@example(["notifications:archive", "xotifications:archive"])
@example(["notes:read", "note:read"])
def test_scopes_that_look_alike_are_found_as_by_comparing_all(written: list[str]) -> None:
    """Most are never compared, and what is found is the same."""
    policy = Policy(routes={f"GET /{at}": Route(scopes=(scope,)) for at, scope in enumerate(written)})

    found = [problem.text for problem in lint(policy) if problem.rule == "GP049"]

    assert found == list(_plainly(written))


def _plainly(written: list[str]) -> Iterator[str]:
    uses = Counter(written)
    for at, wanted in enumerate(written):
        close = get_close_matches(wanted, written[:at], n=1, cutoff=0.93) if wanted not in written[:at] else []
        twins = close and [letter for letter in wanted if not letter.isdigit()] == [
            letter for letter in close[0] if not letter.isdigit()
        ]
        if close and 1 in (uses[wanted], uses[close[0]]) and not twins:
            yield f"{wanted!r} looks like {close[0]!r}"
