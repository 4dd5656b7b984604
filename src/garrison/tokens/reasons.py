"""Why a token is refused: stable codes for the journal, never for the sender."""

from __future__ import annotations

__all__ = ["REASONS"]

REASONS = {
    "too_long": "longer than 8 KiB",
    "form": "not three parts of ASCII with two dots between them",
    "header": "the header is not one strict JSON object with texts for alg, kid and typ",
    "critical": "the header asks for an extension (crit, b64); none is understood",
    "algorithm": "an algorithm that is not known here, or none at all",
    "typ": "a token of another kind than this one is for",
    "key_unknown": "no trusted key has this name and this algorithm",
    "signature": "the signature is wrong, or not written the one right way",
    "payload": "the claims are not one strict JSON object, or a claim is of the wrong type",
    "claim_missing": "a claim that must be there is not",
    "issuer": "from another issuer",
    "audience": "for another audience",
    "expired": "it has expired; at the very instant of exp it has",
    "not_yet": "it is not valid yet",
    "issued_later": "it says it was issued in the future",
    "too_old": "issued longer ago than this verifier accepts",
    "bound": "it is bound to a key (cnf) that nobody here has proved",
    "revoked": "the token, its session or everything of its subject was ended",
    "refresh_form": "not a refresh token",
    "refresh_unknown": "no such family: ended, expired, or never there",
    "refresh_reused": "a refresh token that was used before; its family is ended now",
    "refresh_scope": "more scopes than the family was granted",
}
"""Every `TokenError.reason`, with what it means."""
