"""Every kind of credential keeps every promise of the contract."""

from __future__ import annotations

import random

from msgspec.structs import replace

from garrison.credentials.authenticate import OwnAuthentication
from garrison.credentials.key_format import KeyFormat
from garrison.guard.drive import drive
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from garrison.testing.credentials import CredentialContract
from tests.credentials.tokens import Tokens
from tests.credentials.world import World


class TestApiKeys(CredentialContract):
    def open(self) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.credential = self.world.keys
        self.issued = self.world.make()
        revoked = self.world.make()
        drive(self.world.service.revoke(revoked.record.id, self.world.by()))
        unknown = KeyFormat("grsn").make("sk", "0" * 12, random.Random(1).randbytes)
        elsewhere = KeyFormat("grsn", "test").make("sk", self.issued.record.secrets[0].id, random.Random(1).randbytes)
        self.headers = [(b"x-api-key", self.issued.text.encode())]
        self.wrong = [[(b"x-api-key", text.encode())] for text in (unknown, revoked.text, elsewhere)]

    def end(self) -> None:
        drive(self.world.service.revoke(self.issued.record.id, self.world.by()))


class TestBearerKeys(TestApiKeys):
    def open(self) -> None:
        super().open()
        self.headers = [(b"authorization", b"Bearer " + self.issued.text.encode())]
        self.wrong = [[(b"authorization", b"Bearer " + value) for _, value in lines] for lines in self.wrong]


class TestJwt(CredentialContract):
    public = False

    def open(self) -> None:
        self.tokens = Tokens(public=self.public)
        self.clock = self.tokens.clock
        self.credential = self.tokens.credential
        self.token = self.tokens.issue("ada", scopes=("notes:read",))
        self.headers = [self.tokens.header(self.token)]
        head, payload, _ = self.token.split(".")
        other = self.tokens.issue("bob").rpartition(".")[2]
        revoked = self.tokens.issue("eve")
        self.tokens.revoke(revoked)
        late = self.tokens.issue("ada", lifetime=1_000_000, now=self.clock.wall() - 2_000_000)
        texts = (f"{head}.{payload}.{other}", revoked, late, self.tokens.issue("ada", issuer="somebody"))
        self.wrong = [[self.tokens.header(text)] for text in texts]

    def end(self) -> None:
        self.tokens.revoke(self.token)


class TestCachedJwt(TestJwt):
    public = True


class TestOwnAuthentication(CredentialContract):
    revocable = False

    def open(self) -> None:
        self.sessions = {b"s1": Principal(subject="ada")}
        self.credential = OwnAuthentication(self.authenticate, "notes")
        self.headers = [(b"x-session", b"s1")]
        self.wrong = [[(b"x-session", b"a session that nobody has")]]

    def authenticate(self, request: Request) -> Principal | None:
        return self.sessions.get(request.fields.get(b"x-session", b""))

    def end(self) -> None:
        self.sessions.clear()


class TestOwnCoroutine(TestOwnAuthentication):
    def open(self) -> None:
        super().open()
        self.credential = OwnAuthentication(self.later, "notes", kind="session")

    async def later(self, request: Request) -> Principal | None:
        found = self.authenticate(request)
        return replace(found, scopes=frozenset(("notes:read",))) if found else None
