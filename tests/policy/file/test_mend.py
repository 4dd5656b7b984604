"""Mending: whatever does not fit is left out, and named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.policy.file.mend import ANYWHERE, MOST_MENDED, mended
from garrison.policy.lint import lint

_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
_NAMES = ["hosts", "hots", "workers", "defaults", "limit", "scopes", "cors", "web", "origins", "routes", "GET /a"]
_NAMES += ["jwt", "issuers", "corp", "issuer", "credentials", "all", "accounts", "username_length"]
_DOCUMENTS = st.recursive(
    _PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("document", "holes"),
    [
        ({"workers": 0}, {("workers",)}),
        ({"hots": []}, {("hosts",)}),
        ({"hots": [], "hosts": []}, set()),
        ({"zzz": 1}, set()),
        ({"hosts": ["a.example", 3]}, {("hosts", 1)}),
        (
            {"accounts": {"username_length": [0, 3]}},
            {("accounts", "username_length", 0), ("accounts", "username_length")},
        ),
        ({"routes": {"GET a": {"limit": 3}}}, {("routes", "GET a"), ("routes", "GET a", "limit")}),
        ({"routes": {"GET /a": {"credentials": ["kay"]}}}, {("routes", "GET /a", "credentials", 0)}),
        (
            {"routes": {"GET /a": {"credentials": {"all": 3}}}},
            {("routes", "GET /a", "credentials", "all"), ("routes", "GET /a", "credentials")},
        ),
        ({"jwt": {"issuers": {"corp": 3}}}, {("jwt", "issuers", "corp")}),
    ],
)
def test_a_hole_is_where_something_else_was_written(document: dict[str, Any], holes: set[tuple[Any, ...]]) -> None:
    assert mended(document).holes == holes


def test_what_fits_stays_and_the_document_too() -> None:
    document = {"hosts": ["a.example", 3], "jwt": {"issuers": {"corp": {"issuer": "https://id.example"}}}}

    policy, _, misfits = mended(document)

    assert policy.hosts[0] == "a.example"
    assert policy.jwt.issuers["corp"].issuer == "https://id.example"
    assert [misfit.path[-1] for misfit in misfits] == [1, "jwks", "audience"]
    assert document["hosts"] == ["a.example", 3]


@given(st.dictionaries(st.sampled_from(_NAMES), _DOCUMENTS, max_size=5))
def test_every_document_can_be_mended_and_judged(document: dict[str, Any]) -> None:
    """However much is wrong, the mending ends, and no rule stumbles over what is left."""
    policy, holes, misfits = mended(document)

    assert isinstance(lint(policy, holes=holes), tuple)
    assert not holes or misfits


def test_all_misfits_are_told_up_to_a_number() -> None:
    """A script that writes one mistake into every route wants to know all of them."""
    document = {"hosts": [3] * (MOST_MENDED - 1)}

    _, holes, misfits = mended(document)

    assert len(misfits) == MOST_MENDED - 1
    assert holes == {("hosts", number) for number in range(MOST_MENDED - 1)}


def test_nothing_is_known_of_a_policy_with_more_misfits() -> None:
    """Mending them by hundreds took the square of their number: 90 s of processor time for 4000 routes."""
    policy, holes, misfits = mended({"hosts": [3] * 2 * MOST_MENDED})

    assert len(misfits) == MOST_MENDED
    assert holes == ANYWHERE
    assert lint(policy, holes=holes) == ()
