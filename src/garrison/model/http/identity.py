"""Fields in which a proxy tells an application who the user is, and which anybody can send.

An application behind the guard learns who acts from the guard. What a caller writes into such a field never gets
that far: a handler, or a library below it, that believes it would believe a stranger.

`_` equals `-`: CGI's naming (RFC 3875 section 4.1.18) makes one variable of `X_Remote_User` and `X-Remote-User`.
"""

from __future__ import annotations

from itertools import product

__all__ = ["IDENTITY", "TOLD_BY"]

TOLD_BY: dict[str, tuple[str, ...]] = {
    "Web servers that have logged somebody in": (
        "remote-user",
        "remote-name",
        "remote-email",
        "remote-groups",
        "x-remote-user",
        "x-remote-group",
        "x-webauth-user",
        "x-webauth-groups",
    ),
    "Login proxies": (
        "x-forwarded-user",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-preferred-username",
        "x-forwarded-access-token",
        "x-auth-request-user",
        "x-auth-request-email",
        "x-auth-request-groups",
        "x-auth-request-preferred-username",
        "x-auth-request-access-token",
    ),
    "API gateways": (
        "x-authenticated-user",
        "x-authenticated-userid",
        "x-authenticated-groups",
        "x-authenticated-scope",
        "x-consumer-id",
        "x-consumer-custom-id",
        "x-consumer-username",
        "x-consumer-groups",
        "x-credential-identifier",
    ),
    "Clouds": (
        "x-amzn-oidc-identity",
        "x-amzn-oidc-data",
        "x-amzn-oidc-accesstoken",
        "x-goog-authenticated-user-id",
        "x-goog-authenticated-user-email",
        "x-ms-client-principal",
        "x-ms-client-principal-id",
        "x-ms-client-principal-idp",
        "x-ms-client-principal-name",
        "cf-access-authenticated-user-email",
        "tailscale-user-login",
        "tailscale-user-name",
    ),
    "Proxies that have seen a client certificate": (
        "client-cert",
        "client-cert-chain",
        "x-client-cert",
        "x-client-dn",
        "x-client-verify",
        "x-forwarded-client-cert",
        "ssl-client-cert",
        "ssl-client-verify",
        "ssl-client-subject-dn",
        "ssl-client-issuer-dn",
        "ssl-client-s-dn",
        "ssl-client-i-dn",
        "x-ssl-client-cert",
        "x-ssl-client-verify",
        "x-ssl-client-s-dn",
        "x-ssl-client-i-dn",
    ),
    "Custom of services among themselves": (
        "x-user",
        "x-user-id",
        "x-user-name",
        "x-user-email",
        "x-user-role",
        "x-user-roles",
        "x-userid",
        "x-username",
        "x-role",
        "x-roles",
        "x-groups",
        "x-permissions",
        "x-scope",
        "x-scopes",
    ),
}
"""Who sends such fields -> their names."""


def _spellings(name: str) -> list[bytes]:
    first, *rest = name.split("-")
    marks = product("-_", repeat=len(rest))
    return [(first + "".join(map("".join, zip(row, rest, strict=True)))).encode("ascii") for row in marks]


IDENTITY: frozenset[bytes] = frozenset(
    spelling for names in TOLD_BY.values() for name in names for spelling in _spellings(name)
)
"""All of them, in every spelling: one look tells that an ordinary request has none."""
