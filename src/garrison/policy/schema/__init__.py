"""The policy as frozen structs: the same names and nesting as `garrison.toml`.

Durations, sizes and limits stay the text that the file holds (`"5m"`, `"1MiB"`, `"50/s burst 500 per
principal"`); `garrison.policy.plan` turns them into numbers once, when it compiles.
"""

from __future__ import annotations

from garrison.policy.schema.abuse import Abuse, Weights
from garrison.policy.schema.fields import Duration, Environment, LimitText, Network, Profile, RouteText, Scope
from garrison.policy.schema.identity import Accounts, Issuer, Jwt, Keys
from garrison.policy.schema.routes import All, Cors, Defaults, Headers, Requirement, Route, laid_over
from garrison.policy.schema.service import Audit, Caps, Forwarded, Operations, Overload, Policy, Secrets, Stores

__all__ = [
    "Abuse",
    "Accounts",
    "All",
    "Audit",
    "Caps",
    "Cors",
    "Defaults",
    "Duration",
    "Environment",
    "Forwarded",
    "Headers",
    "Issuer",
    "Jwt",
    "Keys",
    "LimitText",
    "Network",
    "Operations",
    "Overload",
    "Policy",
    "Profile",
    "Requirement",
    "Route",
    "RouteText",
    "Scope",
    "Secrets",
    "Stores",
    "Weights",
    "laid_over",
]
