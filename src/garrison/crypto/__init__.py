"""Keys and the arithmetic around them: ring, seal, chain, passwords, JWS framing and JWK.

Pure: no clock and no randomness inside; no signature or cipher is computed here, only by `cryptography`,
`argon2-cffi` and the standard library.
"""
