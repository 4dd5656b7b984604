"""Rules about keys and tokens: lives, algorithms and issuers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.units import DAY, HOUR, SECOND, duration
from garrison.policy.lint.rule import Example, Found, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.lint.rule import Facts

__all__: list[str] = []


@rule("GP075", "warning", bad='[jwt]\naccess = "12h"', good='[jwt]\naccess = "15m"')
def _long_access(facts: Facts) -> Iterator[Found]:
    """Access tokens live for more than an hour.

    Whoever finds one in a log may use it for that long, wherever revocations do not reach.
    """
    if duration(facts.policy.jwt.access) > HOUR:
        yield Found(("jwt", "access"), "is longer than an hour", 'Write "15m"; refresh tokens do the rest')


@rule("GP076", "error", bad='[jwt]\nrefresh = "10m"', good='[jwt]\nrefresh = "30d"')
def _short_refresh(facts: Facts) -> Iterator[Found]:
    """Refresh tokens end before access tokens.

    A refresh is never possible when it is needed.
    """
    if duration(facts.policy.jwt.refresh) <= duration(facts.policy.jwt.access):
        yield Found(("jwt", "refresh"), "is not longer than access", "Write a longer life, such as 30d")


@rule("GP077", "warning", bad='[jwt]\nrefresh = "365d"', good='[jwt]\nrefresh = "30d"')
def _long_refresh(facts: Facts) -> Iterator[Found]:
    """Refresh tokens live for more than 90 days.

    A device that is lost stays logged in for that long.
    """
    if duration(facts.policy.jwt.refresh) > 90 * DAY:
        yield Found(("jwt", "refresh"), "is longer than 90 days", 'Write "30d"')


@rule("GP078", "warning", bad='[jwt]\nleeway = "5m"', good='[jwt]\nleeway = "30s"')
def _leeway(facts: Facts) -> Iterator[Found]:
    """Tokens are taken for more than a minute after their end.

    Clocks of machines differ by seconds; more leeway is only a longer life.
    """
    if duration(facts.policy.jwt.leeway) > 60 * SECOND:
        yield Found(("jwt", "leeway"), "is longer than a minute", 'Write "30s" and keep the clocks right')


@rule(
    "GP079",
    "warning",
    bad='service = "notes"\n[jwt]\naudience = "https://api.example.com"',
    good='service = "notes"\n[jwt]\naudience = "https://api.example.com"\nalgorithm = "ES256"',
)
def _shared_secret(facts: Facts) -> Iterator[Found]:
    """HS256 signs tokens for an audience that is not this service.

    Whoever verifies HS256 can also make tokens.
    """
    jwt = facts.policy.jwt
    if jwt.algorithm == "HS256" and jwt.audience not in ("", facts.policy.service):
        yield Found(("jwt", "algorithm"), f"HS256 shares its secret with {jwt.audience!r}", 'Write "ES256"')


@rule("GP080", "warning", bad='[jwt]\nalgorithm = "RS256"', good='[jwt]\nalgorithm = "ES256"')
def _rsa(facts: Facts) -> Iterator[Found]:
    """Our own tokens are signed with RSA.

    It signs thirty times slower than ES256 and makes tokens four times as long; only old verifiers need it.
    """
    if facts.policy.jwt.algorithm in ("RS256", "PS256"):
        yield Found(("jwt", "algorithm"), "is RSA, slow to sign and long", 'Write "ES256" or "Ed25519"')


def _issuer(jwks: str = "https://id.example.com/jwks", more: str = 'scopes = ["notes:read"]') -> str:
    return f'[jwt.issuers.corp]\nissuer = "https://id.example.com"\naudience = "notes"\njwks = "{jwks}"\n{more}'


@rule("GP082", "error", bad=_issuer(more='algorithms = ["HS256"]'), good=_issuer(more='algorithms = ["ES256"]'))
def _public_hmac(facts: Facts) -> Iterator[Found]:
    """A foreign issuer may sign with HS256.

    Its keys are public, so anybody could sign (RFC 8725 section 2.1).
    """
    for name, issuer in facts.policy.jwt.issuers.items():
        for number, algorithm in enumerate(issuer.algorithms):
            if algorithm.startswith("HS"):
                path = ("jwt", "issuers", name, "algorithms", number)
                yield Found(path, f"{algorithm} would be signed with a public key", "Remove it")


@rule(
    "GP083",
    "error",
    bad=_issuer() + "\n" + _issuer().replace("corp", "twin"),
    good=_issuer() + "\n" + _issuer().replace("corp", "twin").replace("id.example", "login.example"),
)
def _twins(facts: Facts) -> Iterator[Found]:
    """Two issuers have the same name in their tokens.

    Nobody can tell whose keys and scopes hold; one of them may be this service itself.
    """
    policy = facts.policy
    seen = {policy.jwt.issuer or policy.service: "this service"}
    for name, issuer in policy.jwt.issuers.items():
        if issuer.issuer in seen:
            text = f"{issuer.issuer!r} is {seen[issuer.issuer]} already"
            yield Found(("jwt", "issuers", name, "issuer"), text, "Name each issuer once")
        seen[issuer.issuer] = f"[jwt.issuers.{name}]"


@rule("GP084", "warning", bad=_issuer(more='typ = ["JWT"]'), good=_issuer(more='typ = ["at+jwt"]'))
def _any_type(facts: Facts) -> Iterator[Found]:
    """Tokens of the general type JWT are taken for access tokens.

    An ID token of the same issuer is one too, and was made for another purpose (RFC 8725 section 3.11).
    """
    for name, issuer in facts.policy.jwt.issuers.items():
        for number, typ in enumerate(issuer.typ):
            if typ.lower() in ("jwt", "application/jwt", "*", ""):
                path = ("jwt", "issuers", name, "typ", number)
                yield Found(path, f"{typ!r} is the type of ID tokens too", 'Write "at+jwt" if the issuer can')


@rule("GP085", "warning", bad='[keys]\noverlap = "30d"', good='[keys]\noverlap = "24h"')
def _overlap(facts: Facts) -> Iterator[Found]:
    """A rotated key stays good for more than a week.

    A key is rotated because somebody may have the old one.
    """
    if duration(facts.policy.keys.overlap) > 7 * DAY:
        yield Found(("keys", "overlap"), "is longer than a week", 'Write "24h"; a longer one can be given per rotation')


@rule(
    "GP086",
    "error",
    bad='[keys]\nenvironment = "dev"',
    good='[keys]\nbrand = "acme"',
)
def _dev_keys(facts: Facts) -> Iterator[Found]:
    """Keys of a development environment are accepted in production.

    They lie in repositories and on laptops.
    """
    here = facts.policy.keys_here.environment
    if facts.production and here != "live":
        text = f"accepts {here} keys in production"
        yield Found(("keys", "environment"), text, "Remove it: the keys then follow the environment")


@rule(
    "GP087",
    "warning",
    bad=Example('[keys]\nenvironment = "live"\nbrand = "acme"', "development"),
    good=Example('[keys]\nbrand = "acme"', "development"),
)
def _live_keys(facts: Facts) -> Iterator[Found]:
    """Live keys are made outside production, under a brand of your own.

    A key found on a laptop then looks like one that opens the real service.
    """
    keys = facts.policy.keys
    if facts.policy.environment == "development" and keys.environment == "live" and keys.brand != "grsn":
        remedy = "Remove it: the keys then follow the environment"
        yield Found(("keys", "environment"), "makes live keys in development", remedy)


@rule("GP088", "warning", bad='[keys]\nheader = "authorization"', good='[keys]\nheader = "x-api-key"')
def _key_field(facts: Facts) -> Iterator[Found]:
    """Keys are read from a field that has another meaning.

    Authorization is read anyway; a cookie is sent by browsers without being asked, so any page could act.
    """
    if facts.policy.keys.header in ("authorization", "cookie", "host", "proxy-authorization"):
        yield Found(("keys", "header"), "has a meaning of its own", 'Write "x-api-key"')
