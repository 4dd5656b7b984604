"""Attack: spray new subjects until the store forgets the counter that stands in the way, or until memory is full."""

from __future__ import annotations

from tests.attacks.limited import Limited


def test_guesses_between_sprays_do_not_pass_again() -> None:
    """Five tries an hour stay five, whatever is sprayed between them."""
    site = Limited("at most 5 in 1h", capacity=50)

    guesses = 0
    for n in range(240):
        guesses += site.passes("203.0.113.7")
        site.passes(f"198.{n % 50}.{n % 200}.9")

    assert guesses == 5
    assert site.counters.live <= 50 + 2 * 5_120


def test_a_flood_limits_the_network_it_comes_from() -> None:
    """Not the whole world."""
    site = Limited("5/h", capacity=20)

    passed = sum(site.passes(f"198.51.100.{n}") for n in range(256))

    assert passed <= 10 * 5 + 5
    assert all(site.passes(f"203.0.{n}.9") for n in range(20))
