"""What every kind of credential promises, as tests: subclass, say how to present one, run pytest.

    class TestMyCredential(CredentialContract):
        def open(self):
            self.credential = MyCredential(...)
            self.headers = [(b"x-my-credential", b"...")]
            self.wrong = [[(b"x-my-credential", b"well-formed, but nobody's")]]

        def end(self):
            ...  # revoke what `headers` presents

The last test ends the credential, so each test opens everything anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from garrison.credentials.protocol import Credential, Presented
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Header, Request
from garrison.model.principal import Principal
from garrison.policy.plan import Plan
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import expect

__all__ = ["HOSTILE_VALUES", "CredentialContract"]

HOSTILE_VALUES = (
    b"",
    b" ",
    b"Bearer",
    b"Bearer ",
    b"Bearer  ",
    b"bearer .",
    b"Bearer ..",
    b"Bearer \xff\xfe.\x00.\x80",
    b"Bearer " + b"." * 10_000,
    b"Bearer " + b"a" * 100_000,
    b"Basic Og==",
    b"Digest username=x",
    b"\x00",
    b"\xe9" * 75,
    b"null",
    b"a,b",
    b'"',
    b"%00",
    b"{}",
)
"""Field values that credentials have been known to trip over."""

T = TypeVar("T")

_BYSTANDERS: Sequence[Header] = ((b"host", b"api.example.com"), (b"accept", b"*/*"), (b"user-agent", b"test"))


class CredentialContract:
    """The tests. `open` sets `credential`, `headers` and `wrong`; `end` revokes what `headers` presents."""

    revocable: ClassVar[bool] = True
    """Whether Garrison can end it; an application's own authentication ends by itself."""

    credential: Credential
    """What is tested."""

    headers: Sequence[Header]
    """Header lines that present a credential which is to be believed."""

    wrong: Sequence[Sequence[Header]]
    """Header lines of credentials that are well-formed and not to be believed, one for each way to be wrong."""

    def open(self) -> None:
        """Make the credential anew, with `self.clock` as the only clock; the subclass says how."""
        raise NotImplementedError

    def end(self) -> None:
        """Revoke what `headers` presents; the subclass says how."""
        raise NotImplementedError

    def setup_method(self) -> None:
        """Open it (pytest calls this)."""
        self.clock = ManualClock()
        self.plan = Plan(route="GET /things/{id}", template="/things/{id}")
        self.open()

    def request(self, headers: Sequence[Header]) -> Request:
        """Make a request with these header lines among ordinary ones."""
        return Request("GET", "/things/7", [*_BYSTANDERS, *headers])

    def judge(self, headers: Sequence[Header]) -> Principal | Refusal | None:
        """Find and believe, driven, as the guard does; None when nothing is found."""
        request = self.request(headers)
        found = self.credential.find(request)
        if not isinstance(found, Presented):
            return found
        return drive(self._believe(found, request))

    def test_it_says_what_to_present(self) -> None:
        """RFC 9110 section 11.6.1: a scheme, and at least a realm."""
        scheme, _, rest = self.credential.challenge.partition(b" ")
        expect((bool(scheme), rest.startswith(b"realm="), self.credential.kind.isidentifier()), (True, True, True))

    def test_who_presents_nothing_is_nobody(self) -> None:
        """Neither believed nor punished: the route decides whether it needs one."""
        for headers in ([], [(b"cookie", b"a=b")], [(b"x-forwarded-for", b"127.0.0.1")]):
            answer = self.judge(headers)
            expect(answer is None or (isinstance(answer, Refusal) and answer.code == "credential_missing"), True)

    def test_who_presents_a_true_one_is_believed(self) -> None:
        """Twice: from the store, and from what is remembered."""
        first, second = self.judge(self.headers), self.judge(self.headers)
        expect(isinstance(first, Principal), True)
        expect(second, first)

    def test_awaited_it_says_the_same_as_driven(self) -> None:
        """One coroutine serves both worlds."""
        request = self.request(self.headers)
        found = _one(Presented, self.credential.find(request))
        expect(asyncio.run(self._believe(found, request)), self.judge(self.headers))

    def test_finding_changes_nothing(self) -> None:
        """Asked twice about one request it finds the same."""
        request = self.request(self.headers)
        before = list(request.headers), dict(request.fields)
        expect(self.credential.find(request), self.credential.find(request))
        expect((list(request.headers), dict(request.fields)), before)

    def test_who_presents_a_wrong_one_is_told_how_to_try_again_and_no_more(self) -> None:
        """All wrong ones are answered alike; which check failed is for the journal."""
        told = set()
        for headers in self.wrong:
            answer = _one(Refusal, self.judge(headers))
            challenges = [value for name, value in answer.headers if name == b"www-authenticate"]
            expect((answer.status, len(challenges), bool(answer.reason)), (401, 1, True))
            expect(challenges[0].startswith(self.credential.challenge), True)
            told.add((answer.code, answer.title, answer.detail, challenges[0], repr(answer.members)))
        expect(len(told) <= 1, True)

    def test_no_refusal_repeats_what_was_presented(self) -> None:
        """Refusals are logged."""
        for headers in self.wrong:
            shown = repr(self.judge(headers))
            for _, value in headers:
                secret = value.rpartition(b" ")[2].decode("latin-1")
                expect(len(secret) > 8 and secret in shown, False)

    def test_hostile_values_are_refused_or_ignored(self) -> None:
        """Whatever stands in a field, nothing is raised and nobody is believed."""
        for name in {name for name, _ in self.headers} | {b"authorization"}:
            for value in HOSTILE_VALUES:
                expect(isinstance(self.judge([(name, value)]), Principal), False)

    def test_a_field_that_came_twice_is_not_chosen_from(self) -> None:
        """Which of two lines counts must not be a matter of taste; 400, or nothing at all."""
        if not self.revocable:
            return
        answer = self.judge([*self.headers, *self.headers])
        expect(isinstance(answer, Refusal) and answer.status == 400, True)

    def test_using_it_tells_nobody_anything(self) -> None:
        """`used` counts in memory and gives nothing back."""
        believed = _one(Principal, self.judge(self.headers))
        self.credential.used(believed, self.clock.wall())

    def test_ended_it_is_refused_from_the_next_request_on(self) -> None:
        """In this process at once; what was remembered does not count."""
        self.judge(self.headers)
        self.end()
        expect(isinstance(self.judge(self.headers), Refusal), True)

    async def _believe(self, found: Presented, request: Request) -> Principal | Refusal:
        now, monotonic = self.clock.wall(), self.clock.monotonic()
        return await self.credential.believe(found, request, "192.0.2.7", self.plan, now, monotonic)


def _one(wanted: type[T], found: object) -> T:
    if isinstance(found, wanted):
        return found
    msg = f"found {str(found)[:500]}, wanted a {wanted.__name__}"
    raise AssertionError(msg)
