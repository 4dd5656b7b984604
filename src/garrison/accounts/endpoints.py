"""Where the journeys of an account stand, and what each demands before it is asked.

Every demand is stated, none inherited: `[defaults]` of a policy is about the application's routes, and a login
that asked for a token first could never be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.accounts.keys import create_key, list_keys, revoke_key, rotate_key
from garrison.accounts.login import LoginBody, login
from garrison.accounts.register import register
from garrison.accounts.session import RefreshBody, logout, me, refresh
from garrison.credentials.key_order import NewKey
from garrison.model.http.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.model.http.endpoint import Call
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.response import Response
    from garrison.policy.schema import Accounts

    Run = Callable[[Call, Any], Awaitable[Response | Refusal]]

__all__ = ["mounts"]

_PLAIN: dict[str, Any] = {"public": False, "scopes": (), "own": False, "require": {}, "sets_cookie": False}


def mounts(accounts: Accounts) -> tuple[tuple[str, Endpoint], ...]:
    """Give every row with the prefix it stands under; the service of each is a `Service`.

    Args:
        accounts: The policy's `[accounts]`; a part without a place is left out.
    """
    rows = [(accounts.prefix, row) for row in _door(accounts)]
    if accounts.me:
        rows.append((accounts.me, _row("me", "GET", "", me, {})))
    if accounts.keys:
        rows += [(accounts.keys, row) for row in _keys(accounts)]
    return tuple(rows)


def _door(accounts: Accounts) -> tuple[Endpoint, ...]:
    """Rows that are called without a credential, or end one; whoever presents another is not asked about it."""
    anybody = {"public": True, "credentials": (), "limit": accounts.logins, "priority": "login"}
    # A page of another site must not log its visitor in to an account of its own (login CSRF).
    cookie = {**anybody, "sets_cookie": True}
    leaving = {"public": True, "credentials": ("jwt",), "limit": accounts.logins}
    left = _Answers(200, ("credential_refused",), bodiless=True)
    made = _Answers(201, ("account_exists", "invite_refused", "invite_required", "busy"))
    return (
        _row("register", "POST", "/register", register, cookie, dict, made),
        _row("login", "POST", "/login", login, cookie, LoginBody, _Answers(200, ("login_refused", "busy"))),
        _row("refresh", "POST", "/refresh", refresh, anybody, RefreshBody, _Answers(200, ("credential_refused",))),
        _row("logout", "POST", "/logout", logout, leaving, RefreshBody, left),
    )


def _keys(accounts: Accounts) -> tuple[Endpoint, ...]:
    fresh = {"credentials": ("jwt",), "require": {"fresh": accounts.fresh}}
    # Of the codes of one status the last one stands in the documentation of the API.
    made = _Answers(201, ("conflict", "key_too_many"))
    rotated = _Answers(200, ("not_found", "conflict", "key_environment", "key_secrets_full", "key_dead"))
    ended = _Answers(204, ("not_found", "conflict", "key_dead"))
    return (
        _row("list_keys", "GET", "", list_keys, fresh, None, _Answers(query=("after",))),
        _row("create_key", "POST", "", create_key, fresh, NewKey, made),
        _row("rotate_key", "POST", "/{id}/rotate", rotate_key, fresh, None, rotated),
        _row("revoke_key", "DELETE", "/{id}", revoke_key, fresh, None, ended),
    )


class _Answers(NamedTuple):
    """What an endpoint reads from the query and answers by itself; for the documentation of the API."""

    status: int = 200
    refusals: tuple[str, ...] = ()
    bodiless: bool = False
    query: tuple[str, ...] = ()
    """What it reads from the query."""


def _row(
    name: str,
    method: str,
    path: str,
    run: Run,
    demands: dict[str, Any],
    body: type | None = None,
    answers: _Answers | None = None,
) -> Endpoint:
    answers = answers or _Answers()
    return Endpoint(
        name=name,
        method=method,
        path=path,
        run=run,
        body=body,
        status=answers.status,
        refusals=answers.refusals,
        bodiless=answers.bodiless,
        query=answers.query,
        demands={**_PLAIN, **demands},
    )
