"""The fields of a policy as types: what may stand in each, and the notation it is read by.

A mark such as `{"notation": "duration"}` names a reader in `garrison.policy.notation`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

__all__ = [
    "Characters",
    "Count",
    "CountersUrl",
    "CredentialName",
    "Duration",
    "Environment",
    "Exact",
    "FieldName",
    "Host",
    "HttpsUrl",
    "JwsAlgorithm",
    "Length",
    "Life",
    "LimitText",
    "MediaType",
    "Name",
    "Network",
    "Peer",
    "Prefix",
    "Profile",
    "Reference",
    "RouteText",
    "Scope",
    "Size",
    "StoreUrl",
    "Text",
]

Text = Annotated[str, Meta(min_length=1, max_length=1024)]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}\Z")]
Count = Annotated[int, Meta(ge=1)]
Length = Annotated[int, Meta(ge=1, le=255)]
CredentialName = Literal["key", "jwt"]
Profile = Literal["api", "html", "docs"]
Environment = Literal["development", "staging", "production"]

JwsAlgorithm = Literal[
    "HS256", "ES256", "ES384", "ES512", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"
]

Characters = Annotated[str, Meta(extra={"notation": "characters"})]
Exact = Annotated[str, Meta(extra={"notation": "exact"})]
Duration = Annotated[str, Meta(extra={"notation": "duration"})]
FieldName = Annotated[str, Meta(extra={"notation": "field"})]
Host = Annotated[str, Meta(extra={"notation": "host"})]
HttpsUrl = Annotated[str, Meta(extra={"notation": "https"})]
Life = Annotated[str, Meta(extra={"notation": "life"})]
LimitText = Annotated[str, Meta(extra={"notation": "limit"})]
MediaType = Annotated[str, Meta(extra={"notation": "media"})]
Network = Annotated[str, Meta(extra={"notation": "network"})]
Peer = Annotated[str, Meta(extra={"notation": "peer"})]
Prefix = Annotated[str, Meta(extra={"notation": "prefix"})]
Reference = Annotated[str, Meta(extra={"notation": "reference"})]
RouteText = Annotated[str, Meta(extra={"notation": "route"})]
Scope = Annotated[str, Meta(extra={"notation": "scope"})]
CountersUrl = Annotated[str, Meta(extra={"notation": "counters"})]
StoreUrl = Annotated[str, Meta(extra={"notation": "store"})]
Size = Annotated[str, Meta(extra={"notation": "size"})]
