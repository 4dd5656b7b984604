"""Attack: ask for each thing once, so that a limit that counts by path never fills."""

from __future__ import annotations

from tests.attacks.limited import Limited


def test_every_path_of_an_endpoint_spends_from_one_counter() -> None:
    """Different identifiers, queries, escapes and slashes."""
    site = Limited("3/m")
    paths = [*[f"/things/{n}" for n in range(20)], "/things/1?x=1", "/things/%31", "/things/1;v=2"]

    assert sum(site.passes(path=path) for path in paths) == 3
