"""RSA keys of the broken generator are recognised."""

from __future__ import annotations

from math import prod

from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto.roca import _PRIMES, is_roca

PRODUCT = 2 * prod(_PRIMES)


@given(st.integers(1, 2**60), st.integers(1, 2**60), st.integers(1, 2**40), st.integers(1, 2**40))
def test_every_product_of_numbers_of_its_form_is_recognised(first: int, second: int, k: int, m: int) -> None:
    """k * M + 65537**a mod M, twice, multiplied; that they be prime changes nothing in the fingerprint."""
    p, q = (factor * PRODUCT + pow(65537, power, PRODUCT) for factor, power in ((k, first), (m, second)))

    assert is_roca(p * q)


def test_a_key_of_a_sound_generator_is_not() -> None:
    """By chance once in 2**27."""
    assert not is_roca(rsa.generate_private_key(65537, 2048).public_key().public_numbers().n)


def test_the_neighbour_of_a_broken_modulus_is_not() -> None:
    """The bound from the other side."""
    assert is_roca(pow(65537, 12345, PRODUCT))
    assert not is_roca(pow(65537, 12345, PRODUCT) + 1)
