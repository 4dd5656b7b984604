"""A small world for tests of accounts: memory store, clock moved by hand, cheap hashes, real pool, real tokens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
import pytest

from garrison.accounts.endpoints import mounts
from garrison.accounts.passwords.hashing import Hashing
from garrison.accounts.service import Service, Settings
from garrison.accounts.session import Sessions
from garrison.accounts.user import USERS, User, UserOwners, fold_email, fold_name
from garrison.credentials.key_service import KeyService
from garrison.crypto import password as password_module
from garrison.crypto.password import Cost, Passwords
from garrison.crypto.ring import KeyRing
from garrison.errors import TokenError
from garrison.model.event import Event
from garrison.model.fit import fit
from garrison.model.http.body import decode
from garrison.model.http.endpoint import Call, Endpoint
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Header, Request
from garrison.model.http.response import Response
from garrison.model.principal import ANONYMOUS, Principal
from garrison.model.scope import effective
from garrison.policy.schema import Accounts, Policy
from garrison.runtime.hashpool import HashPool, PooledHasher, blocking
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News
from garrison.stores.protocols import Outcome, Put, Query, Step
from garrison.testing.clock import START, ManualClock
from garrison.tokens.checker import Checker, Trusted
from garrison.tokens.issue import Issuer
from garrison.tokens.keys import ring_keys
from garrison.tokens.refresh import RefreshTokens
from garrison.tokens.revocations import Revocations
from garrison.tokens.verifier import Verifier

T = TypeVar("T")

NOON = START
MINUTE = 60_000_000
CHEAP = Cost(memory=7 * 1024, passes=1)
"""The cheapest hash that is taken: 3 ms."""

ROOT = bytes(range(32))
PASSWORD = "purple mattress 91"
HERE, THERE = "203.0.113.7", "198.51.100.9"


class Counted:
    """Notes the cost of every argon2 run from now on; the run itself is the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.costs: list[tuple[int, int]] = []
        real = password_module._argon2

        def noted(plain: bytes, salt: bytes, cost: Cost) -> bytes:
            self.costs.append((cost.memory, cost.passes))
            return real(plain, salt, cost)

        monkeypatch.setattr(password_module, "_argon2", noted)


class CountedPool(HashPool):
    """The real pool, which says how often it was asked."""

    jobs = 0

    def submit(self, work: Callable[[], T], *, known: bool = False) -> Any:
        self.jobs += 1
        return super().submit(work, known=known)


class Yielding(MemoryRecords):
    """The memory store as one behind a network: every call lets all other tasks run first."""

    async def get(self, kind: Any, key: str) -> Any:
        await asyncio.sleep(0)
        return await super().get(kind, key)

    async def find(self, *args: Any, **more: Any) -> Any:
        await asyncio.sleep(0)
        return await super().find(*args, **more)

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        await asyncio.sleep(0)
        return await super().commit(steps, events)


class FullPool(HashPool):
    """A pool without room."""

    def __init__(self) -> None:
        super().__init__(1, lambda: 0, 1)

    def submit(self, *_: Any, **__: Any) -> Any:
        return None


class Answer:
    """What came back: the answer, or the refusal as it would be answered."""

    def __init__(self, result: Response | Refusal) -> None:
        self.refusal = result if isinstance(result, Refusal) else None
        self.status = result.status
        self.headers = tuple(header for header in result.headers if header[0] != b"set-cookie")
        self.cookies = [value.split(b";")[0] for name, value in result.headers if name == b"set-cookie"]
        self.set_cookies = [value.decode() for name, value in result.headers if name == b"set-cookie"]
        self.json: Any = msgspec.json.decode(result.body) if isinstance(result, Response) and result.body else None
        self.code = self.refusal.code if self.refusal else ""
        self.reason = self.refusal.reason if self.refusal else ""

    @property
    def public(self) -> tuple[Any, ...]:
        """Everything a caller can tell two refusals apart by."""
        refusal = self.refusal
        assert refusal is not None
        return (
            refusal.code,
            refusal.status,
            refusal.title,
            refusal.detail,
            refusal.headers,
            refusal.members,
            refusal.type,
        )

    @property
    def retry_after(self) -> int:
        return int(dict(self.headers)[b"retry-after"])


class World:
    """Everything an account needs to live in."""

    users = USERS

    def __init__(
        self,
        *,
        records: Callable[[ManualClock], Any] | None = None,
        clock: ManualClock | None = None,
        root: tuple[bytes, ...] = (ROOT,),
        environment: str = "production",
        cost: Cost = CHEAP,
        pool: HashPool | None = None,
        service: str = "tasks",
        **accounts: Any,
    ) -> None:
        self.clock = clock or ManualClock()
        self.records: Any = records(self.clock) if records else MemoryRecords(self.clock, bytes(32))
        self.ring = KeyRing(list(root))
        self.news = News(alone=True)
        self.policy = Policy(
            service=service,
            environment=environment,  # type: ignore[arg-type]  # a test may ask for any
            accounts=Accounts(**{"scopes": ("tasks:read", "tasks:write"), **accounts}),
        )
        assert self.policy.accounts is not None
        self.pool = pool or CountedPool(2_000_000, lambda: 0, 2)
        self.revoked = Revocations(self.news)
        keys = ring_keys(self.ring)
        self.issuer = Issuer(keys, service, service)
        self.refresh = RefreshTokens(self.records, self.ring, self.revoked, service)
        self.checker = Checker([Trusted(Verifier(keys, service, service, own=True))], self.revoked, self.records)
        self.owners = UserOwners(self.records, self.news, self.clock.monotonic)
        self.keys = KeyService(self.records, self.ring, self.news, self.policy.keys, os.urandom)
        self.passwords = Passwords(self.ring, cost)
        self.service = Service(
            Settings.of(self.policy),
            self.records,
            self.ring,
            self.news,
            Hashing(self.ring, PooledHasher(self.pool, blocking), os.urandom, cost),
            Sessions(self.records, self.issuer, self.refresh, self.revoked, os.urandom),
            self.keys,
            os.urandom,
        )
        self.rows: dict[str, Endpoint] = {row.name: row for _, row in mounts(self.policy.accounts)}

    # calls

    def call(
        self,
        name: str,
        body: Any = None,
        *,
        address: str = HERE,
        cookies: list[bytes] | None = None,
        token: str = "",
        principal: Principal | None = None,
        scheme: str = "https",
        **parameters: str,
    ) -> Answer:
        """Ask an endpoint the way the guard does, after its checks."""
        return asyncio.run(
            self.calling(
                name,
                body,
                address=address,
                cookies=cookies,
                principal=principal or (self.principal(token) if token else ANONYMOUS),
                scheme=scheme,
                **parameters,
            )
        )

    async def calling(
        self,
        name: str,
        body: Any = None,
        *,
        address: str = HERE,
        cookies: list[bytes] | None = None,
        principal: Principal = ANONYMOUS,
        scheme: str = "https",
        **parameters: str,
    ) -> Answer:
        """Ask as one task of many."""
        row = self.rows[name]
        value: Any = None
        if row.body is not None and not (row.bodiless and body is None):
            value = decode(body if isinstance(body, bytes) else msgspec.json.encode(body))
            if isinstance(value, Refusal):
                return Answer(value)
            fitted: Any = fit(value, row.body)
            if fitted.misfits:
                errors = [{"path": ".".join(map(str, m.path)), "code": m.code} for m in fitted.misfits]
                return Answer(Refusal("body_invalid", 422, "", "", members={"errors": errors}))
            value = fitted.value
        lines: list[Header] = [(b"cookie", cookie) for cookie in cookies or ()]
        query = parameters.pop("query", "").encode("ascii")
        request = Request(row.method, row.path, lines, query=query, scheme=scheme, peer=address)
        call = Call(
            request=request,
            principal=principal,
            address=address,
            now=self.clock.wall(),
            correlation="c1",
            parameters=parameters,
            body=value,
        )
        return Answer(await row.run(call, self.service))

    def register(self, name: str = "ada", password: str = PASSWORD, **more: Any) -> Answer:
        address, cookies = more.pop("address", HERE), more.pop("cookies", None)
        body = {"username": name, "email": f"{name}@example.org", "password": password, **more}
        return self.call("register", body, address=address, cookies=cookies)

    def login(self, login: str = "ada", password: str = PASSWORD, **more: Any) -> Answer:
        return self.call("login", {"login": login, "password": password}, **more)

    def principal(self, token: str) -> Principal:
        """Believe an access token, or raise `TokenError`: its own checks, the revocations, the account."""
        now = self.clock.wall()
        claims = asyncio.run(self.checker.check(token, now, self.clock.monotonic()))
        principal = Principal(
            subject=claims.sub,
            scopes=claims.scopes,
            credential=f"jwt:{claims.jti}",
            session=claims.sid,
            authenticated_at=int(claims.auth_time * 1_000_000),
            methods=claims.amr,
        )
        owner = asyncio.run(self.owners.owner(principal.id))
        if owner is None or not owner.active or (claims.epoch or 0) < owner.epoch:
            raise TokenError("revoked")
        return msgspec.structs.replace(principal, scopes=effective(claims.scopes, owner.scopes))

    def believed(self, token: str) -> bool:
        """Tell whether a token opens anything."""
        try:
            self.principal(token)
        except TokenError:
            return False
        return True

    # the store

    def user(self, name: str = "ada") -> User:
        found = asyncio.run(self.records.find(USERS, "name_key", fold_name(name)))
        user: User = found[0]
        return user

    def put_user(self, name: str = "ada", **fields: Any) -> User:
        """Store an account as it is given."""
        email = fields.pop("email", f"{name}@example.org")
        password = fields.pop("password", "")
        user = User(
            id=fields.pop("id", f"id-{name}"),
            name=name,
            name_key=fold_name(name),
            email=email,
            email_key=fold_email(email),
            password=password,
            cost=password.split("$")[2] if password else "",
            created=NOON,
            password_changed=NOON,
            **fields,
        )
        outcome = asyncio.run(self.records.commit([Put(USERS, user)]))
        assert outcome.done, outcome
        stored: User = outcome.records[0]
        return stored

    def change_user(self, user: User, **fields: Any) -> User:
        """Change an account behind everybody's back."""
        outcome = asyncio.run(self.records.commit([Put(USERS, msgspec.structs.replace(user, **fields))]))
        assert outcome.done, outcome
        stored: User = outcome.records[0]
        return stored

    def events(self, code: str = "") -> list[Any]:
        """Read the journal."""
        sealed = asyncio.run(self.records.read(Query(code=code, limit=1000)))
        return [each.event for each in sealed]

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(coroutine)
