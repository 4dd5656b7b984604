"""Everything the guard derives from one policy, swapped as one reference when the policy changes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from garrison.cors.site import compile_served
from garrison.guard.blocked import Blocked, Lists
from garrison.guard.steps.hosts import Hosts
from garrison.limits import parse
from garrison.model.net import canonical
from garrison.model.units import duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.cors.answer import Cors
    from garrison.credentials.protocol import Credential
    from garrison.headers import Ending
    from garrison.limits import Ask
    from garrison.model.http.request import Header, Request
    from garrison.model.net import Networks
    from garrison.policy.plan import Plan, Plans
    from garrison.policy.schema import Caps

__all__ = ["Arrival", "Head", "InForce", "Memory", "Passed", "served_hosts"]

T = TypeVar("T")

Arrival: TypeAlias = "tuple[Plan, str, Mapping[str, str], tuple[Credential, ...], bool]"
"""Plan, client address, what the path caught, who can believe what the route accepts, and whether it is plain."""

Head: TypeAlias = "tuple[Ending[bytes], tuple[Header, ...]]"
"""What becomes of the application's header lines, and ours that are the same every time."""

Passed: TypeAlias = "tuple[Credential, object, int, tuple[Any, ...]]"
"""Who tells whether it still stands, what that is about, which blocks it was held against, and the first fields of the
decision."""

_REMEMBERED = 4_096
"""Most entries of one memory. Callers choose paths, origins and addresses freely, so it must not grow with them."""

_LONGEST = 2_048
"""Most characters and bytes in the name of an entry, for the same reason."""


class Memory(dict[Hashable, T]):
    """What pure steps answered, by everything the answer depends on; begins anew when it is full.

    Starting afresh costs each entry one slow answer, and needs no order of use to be kept on every fast one.
    """

    __slots__ = ()

    def keep(self, name: tuple[object, ...], value: T) -> T:
        """Remember an answer, unless its name is out of the ordinary, and give it."""
        if sum([len(part) for part in name if isinstance(part, str | bytes)]) <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[name] = value
        return value


_TEST_HOST = "testserver"
"""What Starlette's test client calls the host; served in development alone, and no page can have that name."""


class InForce:
    """A policy compiled, with the credentials that serve it. Immutable: a change makes a new one."""

    __slots__ = (
        "_accepted",
        "_cors",
        "_credentials",
        "arrivals",
        "asked",
        "believed",
        "blocked",
        "body_rate",
        "body_time",
        "connections",
        "head_time",
        "header",
        "header_bytes",
        "header_count",
        "header_name",
        "heads",
        "hops",
        "hosts",
        "in_flight",
        "key",
        "lasts",
        "lists",
        "message",
        "messages",
        "passed",
        "path",
        "plans",
        "proxied",
        "query",
        "scheme",
        "served",
        "trusted",
        "unknown",
        "wait",
    )

    def __init__(
        self,
        plans: Plans,
        credentials: Mapping[str, Credential],
        trusted: Networks,
        blocked: Blocked | None = None,
        lists: Lists | None = None,
    ) -> None:
        """Put together what one request needs.

        Args:
            plans: The compiled routes.
            credentials: Every kind that this deployment can believe, by name.
            trusted: Networks of proxies that are believed about the client address.
            blocked: Who is shut out at the moment; nobody when left out.
            lists: Who always is, and who never is, by this policy.
        """
        policy = plans.policy
        self.plans = plans
        self.unknown = plans.unknown
        self.proxied = bool(policy.forwarded.peers)
        self.heads: Memory[Head] = Memory()
        """Header lines of answers, by what they depend on."""

        self.asked: Memory[tuple[Ask, ...]] = Memory()
        """What a route's limits ask of the counters, by who is counted."""

        self.arrivals: Memory[Arrival] = Memory()
        """What steps 0 to 2 found, by method, path, peer and host."""
        self.passed: Memory[Passed] = Memory()
        """What passed steps 0 to 7, by everything that they look at."""

        self.key = policy.keys.header.lower().encode("ascii")
        """Where a key stands."""

        self.lasts = any(credential.lasts for credential in credentials.values())
        """Whether what stands in `Authorization` is worth remembering."""

        self.hosts = Hosts(served_hosts(policy.hosts, policy.environment))
        self.trusted = trusted
        self.blocked = Blocked() if blocked is None else blocked
        self.lists = lists or Lists()
        self.scheme = policy.forwarded.scheme and self.proxied
        self.served = compile_served([*_origins(policy.hosts, policy.environment)])
        self._cors = plans.cors
        self.header_name = policy.forwarded.header
        self.header = self.header_name.encode()
        self.believed = self.header if self.proxied else b""
        """The field that the client address depends on; empty: none."""

        self.hops = policy.forwarded.hops
        self._cap(policy.caps)
        self.in_flight = policy.overload.in_flight
        self.wait = duration(policy.overload.wait)
        self._credentials = credentials
        self._accepted: dict[tuple[str, ...], tuple[Credential, ...]] = {}

    def _cap(self, caps: Caps) -> None:
        """Turn what the policy writes into numbers, once."""
        self.header_count = caps.header_count
        self.header_bytes = size(caps.header_bytes)
        self.path = size(caps.path)
        self.query = size(caps.query)
        self.connections = caps.connections
        self.head_time = duration(caps.head_time)
        self.message = size(caps.message)
        self.messages = parse(caps.messages)
        self.body_time = duration(caps.body_time)
        self.body_rate = size(caps.body_rate)

    def cors(self, plan: Plan) -> Cors | None:
        """Give the compiled CORS policy of a route, or None."""
        return self._cors.get(plan.cors)

    def says_secure(self, request: Request) -> bool:
        """Tell whether a trusted proxy says that the caller came over https."""
        if not self.scheme or not self.trusted.contains(canonical(request.peer)):
            return False
        return request.fields.get(b"x-forwarded-proto", b"").lower() == b"https"

    def accepted(self, plan: Plan) -> tuple[Credential, ...]:
        """List who can believe what the route accepts, in the policy's order."""
        known = self._accepted.get(plan.credentials)
        if known is None:
            names = (*plan.credentials, "custom")
            known = tuple(self._credentials[name] for name in names if name in self._credentials)
            self._accepted[plan.credentials] = known
        return known


def _origins(listed: tuple[str, ...], environment: str) -> Iterator[str]:
    """Origins of the service itself, as browsers know them: https, and http on loopback in development."""
    for host in listed:
        yield f"https://{host}"
    if environment == "development" or not listed:
        yield from ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")


def served_hosts(listed: tuple[str, ...], environment: str) -> tuple[str, ...]:
    """List the hosts that are served: those of the policy, and in development this machine and the test client."""
    if environment != "development":
        return listed
    return (*listed, "localhost", "127.0.0.1", "[::1]", _TEST_HOST)
