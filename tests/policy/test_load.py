"""Loading: every mistake at once, each with its line, its place and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect as kinds

from garrison.errors import PolicyError, Problem, UsageError
from garrison.policy.file.mend import MOST_MENDED
from garrison.policy.file.write import inline
from garrison.policy.load import LARGEST_FILE, files_beside, load, read
from garrison.policy.schema import Policy

MENDED = """
hosts = ["api.example.com"]
[stores]
records = "sqlite:/var/lib/notes/garrison.db"
[secrets]
root = "file:/run/secrets/garrison"
[defaults]
limit = "50/s burst 500 per principal"
[routes]
"GET /notes" = { scopes = ["notes:read"] }
"""


def told(text: str, environment: str = "production") -> list[tuple[str, int, str]]:
    return [(problem.rule, problem.line, problem.path) for problem in read(text, environment).problems]


def unread(text: str, environment: str = "production") -> list[Problem]:
    """What cannot be read; what the rules say about the rest stands beside it."""
    return [problem for problem in read(text, environment).problems if problem.rule < "GP006"]


def test_a_sound_policy_has_no_problem() -> None:
    assert read(MENDED).problems == ()


def test_the_example_of_the_front_page_is_a_policy() -> None:
    policy = load(
        """
        [defaults]
        credentials = ["key", "jwt"]
        limit = "50/s burst 500 per principal"
        cors = "web"

        [cors.web]
        origins = ["https://app.example.com"]

        [routes]
        "GET /health" = { public = true, limit = "10/s burst 100 per address" }
        "GET /notes/{id}" = { scopes = ["notes:read"], own = true }
        """,
        "development",
    )

    assert list(policy.routes) == ["GET /health", "GET /notes/{id}"]
    assert policy.environment == "development"
    assert policy.routes["GET /notes/{id}"].own


def test_the_example_of_the_front_page_has_no_problem_in_development() -> None:
    text = """
        [defaults]
        credentials = ["key", "jwt"]
        limit = "50/s burst 500 per principal"
        cors = "web"
        [cors.web]
        origins = ["https://app.example.com"]
        [routes]
        "GET /health" = { public = true, limit = "10/s burst 100 per address" }
        "GET /notes/{id}" = { scopes = ["notes:read"], own = true }
        """

    assert read(text, "development").problems == ()


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = """hots = []
workers = "x"
environment = "staging"
[defaults]
limit = "50 per second"
[cors.web]
origins = [
  "https://a.example",
  3,
]
[jwt.issuers.corp]
issuer = "https://id.example.com"
[routes]
"GET /health" = { publc = true }
"GET notes" = { scopes = ["a b"] }
[environments.producton]
[environments.staging.caps]
body = "1 MB"
"""

    assert sorted((problem.rule, problem.line, problem.path) for problem in unread(text)) == [
        ("GP002", 1, "hots"),
        ("GP002", 3, "environment"),
        ("GP002", 14, 'routes."GET /health".publc'),
        ("GP002", 16, "environments.producton"),
        ("GP003", 11, "jwt.issuers.corp.audience"),
        ("GP003", 11, "jwt.issuers.corp.jwks"),
        ("GP004", 2, "workers"),
        ("GP004", 9, "cors.web.origins[1]"),
        ("GP005", 5, "defaults.limit"),
        ("GP005", 15, 'routes."GET notes"'),
        ("GP005", 15, 'routes."GET notes".scopes[0]'),
        ("GP005", 18, "environments.staging.caps.body"),
    ]


SOUND: dict[str, Any] = {
    "hosts": ["api.example.com"],
    "stores": {"records": "sqlite:/var/lib/notes/garrison.db"},
    "secrets": {"root": "file:/run/secrets/garrison"},
    "defaults": {"limit": "50/s burst 500 per principal", "cors": "web"},
    "accounts": {"scopes": ["notes:read", "notes:write"]},
    "jwt": {
        "issuers": {
            "corp": {
                "issuer": "https://id.example.com",
                "jwks": "https://id.example.com/jwks",
                "audience": "notes",
                "scopes": ["notes:read"],
            }
        }
    },
    "cors": {"web": {"origins": ["https://app.example.com"]}, "shop": {"origins": ["https://shop.example.com"]}},
    "headers": {"site": {"profile": "html"}},
    "routes": {
        "GET /notes": {"scopes": ["notes:read"]},
        "GET /notes/{id}": {"scopes": ["notes:read"], "own": True},
        "POST /notes": {"scopes": ["notes:write"], "cors": "shop"},
        "GET /site": {"scopes": ["notes:read"], "headers": "site"},
    },
}
"""A policy of which nothing is said; each mistake below is put into it."""

MISTAKES: dict[tuple[str, ...], Any] = {
    ("hosts",): ["api.example.com", 7, "localhost"],
    ("hots",): ["www.example.com"],
    ("workers",): 0,
    ("mode",): "obsrve",
    ("secrets", "root"): "plain text",
    ("stores", "records"): "postgres:",
    ("stores", "counters"): "sqlite:here.db",
    ("defaults", "limit"): "999999999999/s per key",
    ("defaults", "scops"): ["notes:read"],
    ("accounts", "scopes"): ["notes:read", "notes:write", "a b", "notes:*"],
    ("accounts", "failures"): "five",
    ("accounts", "registrations"): "5 per calendar hour",
    ("accounts", "username_length"): [0, 50],
    ("jwt", "issuers", "corp", "issuer"): 3,
    ("jwt", "issuers", "corp", "algorithms"): ["RS256", "HS256"],
    ("jwt", "issuers", "twin"): {"issuer": "https://twin.example.com", "scopes": ["notes:read"]},
    ("jwt", "leeway"): "5m",
    ("caps", "body"): "1GiB",
    ("caps", "depth"): "deep",
    ("cors", "web", "origins"): ["https://app.example.com", 3, "https://www.example.com/"],
    ("cors", "web", "expose"): ["set-cookie"],
    ("cors", "shop"): 3,
    ("cors", "Web"): {"origins": ["https://x.example.com"]},
    ("headers", "site", "hsts"): "10 days",
    ("headers", "site", "csp"): "two\nlines",
    ("routes", "GET /notes"): [],
    ("routes", "GET notes"): {"limit": "5/s per key"},
    ("routes", "GET /notes/{id}", "own"): "yes",
    ("routes", "GET /notes/{id}", "limit"): ["0/s", 3],
    ("routes", "POST /notes", "scopes"): 3,
    ("routes", "POST /notes", "credentials"): {"all": 3},
    ("routes", "DELETE /notes"): {"public": True, "scopes": ["notes:write"], "limit": "1/s per address"},
}


def with_mistakes(paths: Iterable[tuple[str, ...]]) -> set[tuple[str, str]]:
    """What is said of the sound policy with these mistakes."""
    document = deepcopy(SOUND)
    for path in sorted(paths, key=len, reverse=True):
        table = document
        for step in path[:-1]:
            table = table.setdefault(step, {})
        table[path[-1]] = MISTAKES[path]
    text = "\n".join(f"{name} = {inline(value)}" for name, value in document.items())
    return {(problem.rule, problem.path) for problem in read(text).problems}


ALONE = {path: with_mistakes([path]) for path in MISTAKES}


def test_the_sound_policy_is_sound_and_every_mistake_is_one() -> None:
    assert with_mistakes([]) == set()
    assert all(ALONE.values())


@pytest.mark.parametrize("path", [path for path, found in ALONE.items() if all(rule < "GP006" for rule, _ in found)])
def test_what_cannot_be_read_is_all_that_is_said_of_it(path: tuple[str, ...]) -> None:
    """A line that is left out must not be missed by a rule: nobody wrote what the rule would complain about."""
    assert len(ALONE[path]) <= (2 if "twin" in path else 1)


def fields_of(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of the policy, below the entries that the sound policy has."""
    match part:
        case kinds.UnionType():
            for member in part.types:
                yield from fields_of(member, path)
        case kinds.DictType():
            for name in reduce(lambda table, step: table.get(step, {}), path, SOUND):
                yield from fields_of(part.value_type, (*path, name))
        case kinds.StructType():
            for field in part.fields:
                yield (*path, field.name)
                yield from fields_of(field.type, (*path, field.name))


@pytest.mark.parametrize("path", sorted(set(fields_of(kinds.type_info(Policy))) - {("environment",)}), ids=".".join)
def test_no_field_that_cannot_be_read_is_missed_by_a_rule(path: tuple[str, ...]) -> None:
    document = deepcopy(SOUND)
    table = reduce(lambda inner, step: inner.setdefault(step, {}), path[:-1], document)
    table[path[-1]] = [[3.5]]

    told = read("\n".join(f"{name} = {inline(value)}" for name, value in document.items())).problems

    assert told
    assert all(problem.rule < "GP006" for problem in told)


@given(st.sets(st.sampled_from(list(MISTAKES)), min_size=2))
def test_one_run_is_enough_to_mend_a_policy(paths: set[tuple[str, ...]]) -> None:
    """Of any mixture exactly that is said which is said of each mistake alone."""
    apart = {path for path in paths if not any(path[:length] in paths for length in range(1, len(path)))}

    assert with_mistakes(apart) == set().union(*(ALONE[path] for path in apart))


def test_a_rule_speaks_beside_what_cannot_be_read() -> None:
    """What cannot be read hides nothing that does not hang on it."""
    text = MENDED.replace("50/s burst 500 per principal", "999999999999/s per key") + '"DELETE /a" = {}\n'

    assert told(text) == [
        ("GP005", 8, "defaults.limit"),
        ("GP041", 11, 'routes."DELETE /a"'),
    ]


def test_an_overlay_with_a_misspelled_name_is_not_missed() -> None:
    """Hosts that stand under `producton` are not missing in production: they are written, and the name is told."""
    text = MENDED.replace('hosts = ["api.example.com"]', "") + '[environments.producton]\nhosts = ["api.example.com"]\n'
    text += '[environments.producton.jwt]\naccess = "1h"\n'

    assert told(text) == [("GP002", 11, "environments.producton")]


BARE = """accounts = { scopes = ["notes:read", "notes:print"] }
[stores]
records = "sqlite:garrison.db"
[routes]
"GET /notes" = { scopes = ["notes:read"] }
"POST /notes" = { scopes = ["notes:print"] }
"""
"""What production says itself is missing here, and told: GP009, GP010 and others."""

PRODUCTION = """
hosts = ["api.example.com"]
stores = { records = "sqlite:/var/lib/garrison.db" }
secrets = { root = "file:/run/secrets/garrison" }
defaults = { limit = "50/s burst 500 per principal" }
"""


@pytest.mark.parametrize(
    ("header", "path", "remedy"),
    [
        ("[environment.production]", "environment", "Did you mean environments?"),
        ("[environmentss.production]", "environmentss", "Did you mean environments?"),
        ("[[environment.production]]", "environment", "Did you mean environments?"),
        ("[[environments.production]]", "environments.production", "Write [environments.production]"),
        ("[[environments]]", "environments", "Write [environments.development]"),
        ("[[environment]]", "environment", "Did you mean environments?"),
        ("[environments.producton]", "environments.producton", "Did you mean production?"),
    ],
)
def test_what_stands_in_a_mislaid_environment_is_not_missed(header: str, path: str, remedy: str) -> None:
    """An `s` that was forgotten is one mistake, not five."""
    (problem,) = read(BARE + header + PRODUCTION).problems

    assert (problem.path, problem.line) == (path, 7)
    assert problem.remedy == remedy


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("environments = 7\n", "environments"),
        ("environments = ['production']\n", "environments"),
        ("environments.production = 7\n", "environments.production"),
        ("environments.production = [7]\n", "environments.production"),
    ],
)
def test_an_environment_that_cannot_be_read_silences_no_rule(text: str, path: str) -> None:
    """It says nothing, so nothing waits for it: one run is enough to mend the file."""
    unsound = BARE + '"GET /{all:path}" = { public = true }\n'
    alone = told("\n" + unsound)

    assert told(text + unsound) == [("GP004", 1, path), *alone]
    assert {"GP009", "GP027"} <= {rule for rule, _, _ in alone}


def test_a_mislaid_environment_hides_only_what_it_speaks_of() -> None:
    text = "[stores]\nrecords = 'sqlite:garrison.db'\n[environment.production]" + PRODUCTION

    assert [rule for rule, _, _ in told(text)] == ["GP002", "GP030"]


@pytest.mark.parametrize("member", ["storess = { records = ", "stores = { recods = "])
def test_what_an_overlay_misspells_is_not_missed_below_it(member: str) -> None:
    """The value below it, a file in the working directory, is the one that the author meant to replace."""
    text = BARE + "[environments.production]" + PRODUCTION.replace("stores = { records = ", member)

    assert [rule for rule, _, _ in told(text)] == ["GP002"]


@pytest.mark.parametrize(
    ("routes", "rules"),
    [("[routs]\n", ["GP002"]), ("routes = 7\n[elsewhere]\n", ["GP002", "GP004"]), ("[[routes]]\n", ["GP004"])],
)
def test_routes_that_an_overlay_adds_are_not_all_there_are(routes: str, rules: list[str]) -> None:
    """The routes that demand the scopes are written, and cannot be read."""
    text = BARE.replace("[stores]\n", "stores.").replace("[routes]\n", routes)
    text += "[environments.production]" + PRODUCTION
    text += '[environments.development.routes]\n"GET /docs" = { public = true, limit = "1/s per address" }\n'

    assert [rule for rule, _, _ in told(text, "development")] == rules


def test_routes_that_an_overlay_misspells_are_not_missed() -> None:
    """The rule that asks who uses the headers (GP069) waits until the routes can be read."""
    text = MENDED + '[environments.development]\nroute = { "GET /docs" = { headers = "docs" } }\n'
    text += '[environments.development.headers.docs]\nprofile = "html"\n'

    assert [rule for rule, _, _ in told(text, "development")] == ["GP002"]


def test_a_member_that_resembles_nothing_hides_nothing() -> None:
    text = BARE + "[environments.production]" + PRODUCTION.replace("stores", "zzz")

    assert [rule for rule, _, _ in told(text)] == ["GP002", "GP009"]


def test_it_says_when_more_may_be_wrong_than_is_told() -> None:
    """Whoever mends exactly what was told must not take the silence about the rest for praise."""
    routes = "".join(f'"GET /{number}" = {{ publik = true, limit = "x" }}\n' for number in range(MOST_MENDED))

    *first, last = read(f"[routes]\n{routes}").problems

    assert len(first) == MOST_MENDED
    assert "may be more" in last.text


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("hots = []", "Did you mean hosts?"),
        ('[routes]\n"GET /a" = { scoops = [] }', "Did you mean scopes?"),
        ("zzz = 1", "Write one of service, mode, environments, hosts, "),
        ('mode = "obsrve"', "Did you mean observe?"),
        ('mode = "x"', "Write one of enforce, observe"),
        ("mode = 7", "Write one of enforce, observe"),
        ('[jwt]\nleeway = "5 min"', 'Write it like "5m"'),
        ('[jwt.issuers.corp]\nissuer = "x"\njwks = "https://x.example"', "Write audience = …"),
        ("workers = 1.5", "Change the value"),
        ("environments = 3", "Write [environments.development]"),
        ("[environments]\nstaging = 3", "Write [environments.staging]"),
        ("[environments.devlopment]", "Did you mean development?"),
        ("[environments.staging]\nenvironment = 'staging'", "Remove it"),
        ("[environments.staging.environments]", "Remove it"),
        ("x = ", "Mend this line first"),
    ],
)
def test_a_problem_says_what_to_write_instead(text: str, remedy: str) -> None:
    (problem,) = unread(text, "staging")

    assert problem.remedy.startswith(remedy)
    assert problem.line >= 1
    assert problem.severity == "error"


def test_loading_raises_all_mistakes_and_no_warning() -> None:
    with pytest.raises(PolicyError) as caught:
        load("workers = 0\nhots = 1\n")

    assert [problem.rule for problem in caught.value.problems] == ["GP004", "GP002"]
    assert str(caught.value).count("\n") == 1


def test_an_error_of_the_linter_refuses_and_a_warning_does_not() -> None:
    with pytest.raises(PolicyError, match=r"GP032 line 2 defaults\.public"):
        load("[defaults]\npublic = true")
    assert load('mode = "observe"').mode == "observe"
    assert "GP097" in [problem.rule for problem in read('mode = "observe"').problems]


def test_an_environment_lies_over_the_rest() -> None:
    text = MENDED + '[environments.development]\nhosts = []\n[environments.development.jwt]\naccess = "1h"\n'

    assert load(text).hosts == ("api.example.com",)
    assert load(text, "development").hosts == ()
    assert load(text, "development").jwt.access == "1h"
    assert load(text, "development").routes == load(text).routes


@pytest.mark.parametrize(("environment", "word"), [("production", "live"), ("staging", "test"), ("development", "dev")])
def test_keys_follow_the_environment_unless_the_policy_says_otherwise(environment: str, word: str) -> None:
    assert load("", environment).keys_here.environment == word
    overlay = '[environments.staging]\nkeys = { environment = "dev" }'
    assert load(overlay, "staging").keys_here.environment == "dev"


def test_a_mistake_in_another_environment_is_no_secret() -> None:
    text = MENDED + "[environments.development]\nworkers = 0\n"

    assert told(text) == [("GP004", text.count("\n"), "environments.development.workers")]


def test_a_problem_below_an_overlay_is_told_once() -> None:
    text = "workers = 0\n" + MENDED + "[environments.development]\n[environments.staging]\n"

    assert told(text) == [("GP004", 1, "workers")]


def test_a_rule_points_at_the_overlay_that_breaks_it() -> None:
    text = MENDED + '[environments.production.defaults]\nlimit = "0/s"\n'

    assert told(text) == [("GP061", text.count("\n"), "environments.production.defaults.limit")]


def test_an_unknown_environment_is_refused() -> None:
    assert told("", "prod") == [("GP002", 0, "environment")]
    with pytest.raises(PolicyError, match=r"'prod' is no environment\. Write one of development, staging, production"):
        load("", "prod")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\na = 2\n", 2),
        ("x = [1,\n", 1),
        ("\n\n[a]\n[a]\n", 4),
        ("x = " + "9" * 5_000, 1),
        ("x = " + "[" * 5_000, 1),
        ("\x00", 1),
        ("x = 1\n" + ".".join("a" * 3_000) + " = 1\n\n\n", 2),
        ("\n\n[" + ".".join("a" * 3_000) + "]\n\n\n", 3),
    ],
)
def test_what_is_not_toml_is_one_problem_with_its_line(text: str, line: int) -> None:
    (problem,) = read(text).problems

    assert problem.rule == "GP001"
    assert abs(problem.line - line) <= 1


@given(st.text(max_size=80) | st.text(alphabet="[]{}=\"'.#\n GETroutes/123", max_size=80))
def test_any_text_is_a_policy_or_problems(text: str) -> None:
    reading = read(text)

    assert (reading.policy is not None) or reading.problems


def test_a_file_is_read_with_what_stands_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "garrison.toml"
    file.write_text(MENDED + '"POST /notes" = { scopes = ["notes:write"], body = "note.json" }\n')

    assert [(problem.rule, problem.line) for problem in read(file).problems] == [("GP029", 11)]

    (tmp_path / "note.json").write_text("{}")

    assert read(file).problems == ()


def test_a_file_that_is_no_utf8_or_too_large_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "garrison.toml"
    file.write_bytes(b'a = 1\nb = "\xff"\n')
    assert [(problem.rule, problem.line) for problem in read(file).problems] == [("GP001", 2)]

    file.write_bytes(b"#" * (LARGEST_FILE + 1))
    assert [problem.rule for problem in read(file).problems] == ["GP001"]


def test_a_missing_file_is_a_fault_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "garrison.toml")


@pytest.mark.parametrize("name", ["../secret.json", "/etc/hostname", "sub/../../secret.json", "link.json"])
def test_files_outside_the_directory_are_not_read(name: str, tmp_path: Path) -> None:
    """A policy that somebody else wrote must not show our files in its problems."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.json").write_text('{"secret": 1}')
    (home / "link.json").symlink_to(tmp_path / "secret.json")

    with pytest.raises(UsageError, match="outside the policy's directory"):
        files_beside(home / "garrison.toml")(name)


def test_files_below_the_directory_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.json").write_text("{}")

    assert files_beside(tmp_path / "garrison.toml")("sub/a.json") == b"{}"
