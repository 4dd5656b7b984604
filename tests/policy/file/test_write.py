"""Writing: what is written is read back as it was."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from garrison.model.fit import fit
from garrison.policy.file.write import inline, to_toml
from garrison.policy.load import read
from garrison.policy.notation import READERS
from garrison.policy.schema import Accounts, All, Caps, Cors, Policy, Requirement, Route
from tests.policy.policies import POLICIES

NOTES = Policy(
    hosts=("api.example.com",),
    accounts=Accounts(),
    caps=Caps(fields=10),
    cors={"web": Cors(origins=tuple(f"https://app{number}.example.com" for number in range(4)))},
    routes={
        "GET /notes/{id}": Route(own=True, scopes=("notes:read",), require=Requirement(fresh="5m")),
        "PUT /notes": Route(credentials=All(all=("key", "jwt"))),
        "GET /": Route(),
    },
)


@given(POLICIES)
def test_every_policy_is_read_back(policy: Policy) -> None:
    """The linter may refuse it; the reader may not change it."""
    assert fit(tomllib.loads(to_toml(policy)), Policy, READERS) == (policy, ())


def test_a_policy_is_written_the_way_people_do() -> None:
    assert (
        to_toml(NOTES)
        == """hosts = ["api.example.com"]

[caps]
fields = 10

[accounts]

[cors.web]
origins = [
    "https://app0.example.com",
    "https://app1.example.com",
    "https://app2.example.com",
    "https://app3.example.com",
]

[routes]
"GET /notes/{id}" = { scopes = ["notes:read"], own = true, require = { fresh = "5m" } }
"PUT /notes" = { credentials = { all = ["key", "jwt"] } }
"GET /" = {}
"""
    )
    assert read(to_toml(NOTES), "development").policy == Policy(
        **{name: getattr(NOTES, name) for name in NOTES.__struct_fields__ if name != "environment"},
        environment="development",
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_as_toml_reads_it(text: str) -> None:
    assert tomllib.loads(f"k = {inline(text)}") == {"k": text}
    assert tomllib.loads(f"k = {inline({text: [text]})}") == {"k": {text: [text]}}
