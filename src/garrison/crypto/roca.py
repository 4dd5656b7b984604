"""RSA keys that a broken generator made: their private half can be computed from the public one (ROCA).

The generator of CVE-2017-15361 made primes of the form k*M + (65537**a mod M), M a product of small primes.
So the modulus is a power of 65537 modulo every one of them, which a sound modulus is only by chance, once
in 2**27 or less.

Source: Nemec and others, "The Return of Coppersmith's Attack" (CCS 2017), section 3.2.
"""

from __future__ import annotations

__all__ = ["is_roca"]

_PRIMES = (
    *(3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109),
    *(113, 127, 131, 137, 139, 149, 151, 157, 163, 167),
)


def _powers(prime: int) -> frozenset[int]:
    """Every power of 65537 modulo a prime."""
    found, power = set[int](), 1
    while power not in found:
        found.add(power)
        power = power * 65537 % prime
    return frozenset(found)


_FINGERPRINT = tuple((prime, powers) for prime in _PRIMES if len(powers := _powers(prime)) < prime - 1)


def is_roca(modulus: int) -> bool:
    """Tell whether an RSA modulus has the fingerprint of the broken generator."""
    return all(modulus % prime in powers for prime, powers in _FINGERPRINT)
