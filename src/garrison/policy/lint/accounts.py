"""Rules about people who log in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.limits import parse
from garrison.model.units import HOUR, SECOND, duration
from garrison.policy.lint.rule import Found, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.lint.rule import Facts

__all__ = ["LEAST_WORK"]

LEAST_WORK = 35
"""MiB times passes of a password hash: the least of the parameters that OWASP Password Storage counts as equal."""


@rule(
    "GP073",
    "error",
    bad="[accounts]\nhash_memory = 7\nhash_passes = 4",
    good="[accounts]\nhash_memory = 19\nhash_passes = 2",
)
def _cheap_hashes(facts: Facts) -> Iterator[Found]:
    """A password hash is cheaper than any that is recommended.

    Whoever steals the store guesses that much faster (OWASP Password Storage).
    """
    accounts = facts.policy.accounts
    if accounts is not None and accounts.hash_memory * accounts.hash_passes < LEAST_WORK:
        text = f"is less than {LEAST_WORK} when multiplied by hash_passes"
        yield Found(("accounts", "hash_memory"), text, "Write 19, and 2 for hash_passes")


@rule("GP089", "warning", bad="[accounts]\npassword_length = 8", good="[accounts]\npassword_length = 15")
def _short_passwords(facts: Facts) -> Iterator[Found]:
    """Passwords may be shorter than 15 characters.

    Where the password is the only factor NIST SP 800-63B-4 section 3.1.1.2 demands 15.
    """
    accounts = facts.policy.accounts
    if accounts is not None and accounts.password_length < 15:
        yield Found(("accounts", "password_length"), "is less than 15 for a single factor", "Write 15")


@rule("GP090", "error", bad="[accounts]\nusername_length = [9, 3]", good="[accounts]\nusername_length = [3, 50]")
def _lengths(facts: Facts) -> Iterator[Found]:
    """The shortest username is longer than the longest.

    Nobody could register.
    """
    accounts = facts.policy.accounts
    if accounts is not None and accounts.username_length[0] > accounts.username_length[1]:
        yield Found(("accounts", "username_length"), "begins above its end", "Write the shorter one first")


@rule("GP091", "warning", bad='[accounts]\nusername = "[a-z\u00e0-\u00ff]"', good='[accounts]\nusername = "[a-z0-9_]"')
def _lookalikes(facts: Facts) -> Iterator[Found]:
    """Usernames may have letters of several scripts.

    Two names can then look alike and belong to two people.
    """
    accounts = facts.policy.accounts
    if accounts is not None and not accounts.username.isascii():
        yield Found(("accounts", "username"), "has letters that look alike", 'Write "[A-Za-z0-9_]"')


@rule(
    "GP092",
    "error",
    bad='[accounts]\nprefix = "/me"',
    good='[accounts]\nprefix = "/auth"\nme = "/me"',
)
def _places(facts: Facts) -> Iterator[Found]:
    """Two parts of the accounts stand at one place.

    Their routes would take each other's requests.
    """
    accounts = facts.policy.accounts
    if accounts is None:
        return
    places = [place for place in (accounts.prefix, accounts.me, accounts.keys) if place]
    if len(set(places)) != len(places):
        yield Found(("accounts", "prefix"), "stands where another part stands", "Give each its own path")


@rule("GP093", "warning", bad='[accounts]\nfresh = "12h"', good='[accounts]\nfresh = "5m"')
def _stale(facts: Facts) -> Iterator[Found]:
    """A login of more than an hour ago may make keys.

    A key made at an unlocked laptop outlives the visit.
    """
    if facts.policy.accounts is not None and duration(facts.policy.accounts.fresh) > HOUR:
        yield Found(("accounts", "fresh"), "is longer than an hour", 'Write "5m"')


@rule("GP094", "warning", bad='[accounts]\nhash_wait = "30s"', good='[accounts]\nhash_wait = "2s"')
def _queue(facts: Facts) -> Iterator[Found]:
    """Logins may wait for more than ten seconds.

    A flood of logins then holds that many requests open.
    """
    if facts.policy.accounts is not None and duration(facts.policy.accounts.hash_wait) > 10 * SECOND:
        yield Found(("accounts", "hash_wait"), "is longer than ten seconds", 'Write "2s"')


@rule(
    "GP095",
    "warning",
    bad='[accounts]\nfailures = "at most 30 in 15m"\nfailures_per_address = "at most 20 in 15m"',
    good='[accounts]\nfailures = "at most 5 in 15m"\nfailures_per_address = "at most 20 in 15m"',
)
def _per_address(facts: Facts) -> Iterator[Found]:
    """An address is allowed fewer failed logins than a single account.

    The limit of the account never comes to bear.
    """
    accounts = facts.policy.accounts
    if accounts is None:
        return
    one, all_of_them = parse(accounts.failures), parse(accounts.failures_per_address)
    if one.window == all_of_them.window and one.burst > all_of_them.burst:
        yield Found(("accounts", "failures_per_address"), "is less than failures", "Write the larger count here")
