"""Guessing and probing from one place: no limit of a route adds up what goes wrong on all of them.

And what must not come of it: a page that makes its visitors look like attackers, and has them shut out.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from garrison.admin.blocks import stored
from garrison.errors import PolicyError
from garrison.guard.blocked import Block
from garrison.guard.decision import Decision
from garrison.guard.drive import drive
from garrison.limits.suspicion import UNIT
from garrison.model.http.refusal import refuse
from garrison.model.http.request import Header, Request
from garrison.model.units import DAY, HOUR, MINUTE, SECOND
from garrison.runtime.abuse import MOST_WAITING
from garrison.stores.protocols import Query
from tests.guard.world import World

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[abuse]
allow = ["203.0.113.0/24"]
deny = ["192.0.2.66"]

[routes]
"GET /notes" = { scopes = ["notes:read"], limit = "1000/s per principal" }
"GET /open" = { public = true, limit = "1000/s per address" }
"""

PEER, OTHER, FRIEND = "198.51.100.7", "198.51.100.8", "203.0.113.9"
CROSS = ((b"sec-fetch-site", b"cross-site"), (b"origin", b"https://evil.example"))

BROWSER = ((b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"), (b"accept-language", b"en"))
"""What an old one sends for an image on a page that says no-referrer."""


@pytest.fixture
def world() -> World:
    """A service that shuts abusers out."""
    return World(POLICY)


def asks(world: World, target: str, *headers: Header, peer: str = PEER, times: int = 1) -> str:
    """Ask again and again; gives what became of the last one."""
    for _ in range(times):
        decision = world.ask(target, *headers, peer=peer)
    return decision.refusal.code if decision.refusal is not None else "passed"


def forged(world: World) -> Header:
    """A token of somebody's own making."""
    name, value = world.token("notes:read")
    return name, value[:-4] + b"AAAA"


@pytest.mark.parametrize(
    ("target", "headers", "times"),
    [
        ("GET /.env", (), 3),
        ("GET /WP-Login.php?x", (), 3),
        ("GET /nothing", (), 300),
        ("GET /notes", ((b"x-api-key", b"garbage"),), 150),
        ("GET /nothing", ((b"user-agent", b"sqlmap/1.8"),), 12),
    ],
)
def test_whoever_does_enough_wrong_is_shut_out_of_everything(
    world: World, target: str, headers: tuple[Header, ...], times: int
) -> None:
    """And nobody beside him."""
    target = target.partition("?")[0]
    assert asks(world, target, *headers, times=times - 1) != "blocked"
    assert asks(world, "GET /open") == "passed"
    asks(world, target, *headers)

    assert asks(world, "GET /open") == asks(world, "GET /notes", world.key("notes:read")) == "blocked"
    assert asks(world, "GET /open", peer=OTHER) == "passed"


def test_a_good_credential_is_no_way_around_a_block(world: World) -> None:
    """Nor is one that was remembered before."""
    key = world.key("notes:read")
    assert asks(world, "GET /notes", key, times=3) == "passed"
    # An account acts behind the address, so that it takes twice as much.
    asks(world, "GET /notes", forged(world), times=12)

    assert asks(world, "GET /notes", key) == "blocked"
    assert asks(world, "GET /notes", key, peer=OTHER) == "passed"


def test_the_answer_says_how_long_and_nothing_else(world: World) -> None:
    asks(world, "GET /.env", times=3)
    answer = world.ask("GET /open", peer=PEER).answer

    assert answer is not None
    wait = int(dict(answer.headers)[b"retry-after"])
    assert (answer.status, 48 <= wait <= 72) == (429, True)
    assert b"abnormal-usage-detected" in answer.body


def test_blocks_grow_and_heal(world: World) -> None:
    """Half a minute of probing costs a minute at first, and a day in the end; who was good for long begins anew."""
    lengths = []
    for _ in range(14):
        asks(world, "GET /.env", times=3)
        (block,) = world.runtime.abuse.blocked.live(world.clock.wall())
        lengths.append(block.until - world.clock.wall())
        assert asks(world, "GET /open") == "blocked"
        world.clock.advance(lengths[-1])
        assert asks(world, "GET /open") == "passed"
    world.clock.advance(200 * DAY)
    asks(world, "GET /.env", times=3)
    (block,) = world.runtime.abuse.blocked.live(world.clock.wall())

    assert lengths[0] <= 72 * SECOND
    assert all(later > sooner for sooner, later in pairwise(lengths[:5]))
    assert max(lengths) <= DAY
    assert min(lengths[-2:]) >= 12 * HOUR
    assert block.until - world.clock.wall() <= 72 * SECOND


def test_what_is_long_ago_counts_no_more(world: World) -> None:
    for _ in range(20):
        asks(world, "GET /.env", times=1)
        world.clock.advance(30 * MINUTE)

    assert asks(world, "GET /open") == "passed"


@pytest.mark.parametrize("target", ["GET /.env", "GET /nothing", "GET /notes", "GET /wp-admin/x", "POST /open"])
@pytest.mark.parametrize(
    "marks",
    [
        *(CROSS, CROSS[:1], CROSS[1:], ((b"sec-fetch-site", b"same-site"),)),
        ((b"referer", b"http://evil.example/page"),),
        ((b"referer", b"http://evil.example/https://api.example.com/"),),
        ((b"origin", b"null"),),
        BROWSER,
    ],
)
def test_a_page_cannot_make_its_visitors_look_like_attackers(
    world: World, target: str, marks: tuple[Header, ...]
) -> None:
    """`<img src="https://api.example.com/.env">`, a thousand times."""
    assert asks(world, target, *marks, times=1_000) != "blocked"
    assert asks(world, "GET /open") == "passed"


@pytest.mark.parametrize(
    ("target", "marks"),
    [
        ("GET /.env", ((b"sec-fetch-site", b"none"), *BROWSER)),
        ("GET /.env", ((b"sec-fetch-site", b"same-origin"), *BROWSER)),
        ("GET /.env", ((b"referer", b"https://api.example.com/docs"), *BROWSER)),
        ("GET /.env", ((b"user-agent", b"curl/8.0"),)),
        ("GET /.env", ((b"user-agent", b"Mozilla/5.0 zgrab/0.x"),)),
        ("DELETE /.env", CROSS),
        ("PUT /.env", CROSS),
        ("POST /.env", ((b"content-type", b"application/json"), *CROSS)),
    ],
)
def test_what_no_page_of_another_site_sends_counts(world: World, target: str, marks: tuple[Header, ...]) -> None:
    """Its own pages, a person who types, a tool; and whatever needs a preflight, which is refused."""
    assert asks(world, target, *marks, times=4) == "blocked"


def test_but_what_no_page_can_send_counts_however_it_is_marked(world: World) -> None:
    """A header with a credential needs a preflight, which is refused: whoever sends it is no visitor's browser."""
    asks(world, "GET /notes", forged(world), *CROSS, times=6)

    assert asks(world, "GET /open") == "blocked"


def test_failures_against_a_key_never_end_it_for_its_owner(world: World) -> None:
    """The id of a key is public: whoever knows it could else shut its owner out."""
    name, value = world.key("notes:read")
    wrong = (name, value[:-12] + bytes(value[-12:][::-1]))
    asks(world, "GET /notes", wrong, times=500)

    assert asks(world, "GET /notes", (name, value), peer=OTHER) == "passed"


def test_whom_the_policy_allows_an_attacker_behind_him_shuts_out_neither(world: World) -> None:
    assert asks(world, "GET /.env", peer=FRIEND, times=50) == "route_unknown"


def test_whom_the_policy_denies_gets_nothing(world: World) -> None:
    decision = world.ask("GET /open", peer="192.0.2.66")

    assert decision.refusal is not None
    assert (decision.refusal.code, decision.refusal.status) == ("address_denied", 403)


@pytest.mark.parametrize(("waited", "probes"), [(HOUR, 62), (HOUR - 1, 2)])
def test_it_takes_more_where_many_live_behind_one_address(world: World, waited: int, probes: int) -> None:
    """Carrier-grade NAT: one of thousands must not shut out all of them; accounts made for the purpose do not count."""
    from garrison.credentials.key_order import NewKey
    from garrison.model.principal import Principal

    keys = world.runtime.driven_side.keys
    for number in range(30):
        owner = Principal(subject=f"user{number}", scopes=frozenset({"notes:read"}))
        issued: Any = drive(keys.create(NewKey(name="n", scopes=("notes:read",)), world.by, owner))
        assert asks(world, "GET /notes", (b"x-api-key", issued.text.encode())) == "passed"

    world.clock.advance(waited)
    assert asks(world, "GET /.env", times=probes) == "route_unknown"
    asks(world, "GET /.env")
    assert asks(world, "GET /open") == "blocked"


def test_whoever_has_many_networks_of_ipv6_is_shut_out_of_all_of_them(world: World) -> None:
    """A /56 holds 256 of the /64s that count for one."""
    for number in range(4):
        asks(world, "GET /.env", peer=f"2001:db8:0:{number:x}::1", times=3)

    assert asks(world, "GET /open", peer="2001:db8:0:ff::1") == "blocked"
    assert asks(world, "GET /open", peer="2001:db8:0:100::1") == "passed"


def test_many_networks_fill_no_memory_and_get_nobody_out(world: World) -> None:
    """Whoever has more of them than there is room for gets his own short blocks out, and no long or deliberate one."""
    full = World(POLICY.replace("[abuse]", "[abuse]\nmost = 100"))
    watch, now = full.runtime.abuse, full.clock.wall()
    for _ in range(6):
        asks(full, "GET /.env", times=3)
        full.clock.advance(DAY)
    asks(full, "GET /.env", times=3)
    watch.blocked.add(Block("192.0.2.0/28", 0, by_hand=True), now)
    for number in range(2_500):
        asks(full, "GET /.env", peer=f"10.{number // 200}.{number % 200}.1", times=3)

    assert len(watch.blocked.live(full.clock.wall())) == 101
    assert asks(full, "GET /open") == asks(full, "GET /open", peer="192.0.2.1") == "blocked"
    drive(watch.store(full.runtime.driven_side.face))
    assert len(drive(stored(full.runtime.driven_side.face))) <= MOST_WAITING
    assert (len(watch.blocked.live(full.clock.wall())), asks(full, "GET /open")) == (100, "blocked")


def test_whoever_has_many_parts_of_a_48_is_shut_out_of_it(world: World) -> None:
    """Four /64s of each of four /56s."""
    for part in range(4):
        for number in range(4):
            asks(world, "GET /.env", peer=f"2001:db8:1:{part:x}{number:02x}::1", times=3)

    assert asks(world, "GET /open", peer="2001:db8:1:ff00::1") == "blocked"
    assert asks(world, "GET /open", peer="2001:db8:2::1") == "passed"


def fails(world: World, account: str, peer: str = PEER, *, page: bool = False) -> None:
    """Fail to log in."""
    headers: list[Header] = [(b"host", b"api.example.com"), (b"content-type", b"application/json")]
    if page:
        headers = [(b"host", b"api.example.com"), (b"content-type", b"text/plain"), *CROSS]
    request = Request("POST", "/login", headers, raw_path=b"/login", peer=peer)
    decision = Decision(world.guard.force, "c", world.guard.force.unknown, peer)
    decision.refusal = replace(refuse("login_refused", "password_wrong"), subject=account)
    world.runtime.record(request, decision, world.clock.wall())


def test_a_list_of_stolen_passwords_ends_after_fifteen_accounts(world: World) -> None:
    """One try each never meets a throttle of an account; somebody who mistypes his own gets four times as many."""
    for number in range(15):
        fails(world, f"user:{number}")
    for _ in range(40):
        fails(world, "user:mine", OTHER)

    assert asks(world, "GET /open") == "blocked"
    assert asks(world, "GET /open", peer=OTHER) == "passed"


def test_one_password_for_all_accounts_from_everywhere_is_noticed_and_costs_more(world: World) -> None:
    """Each address tries a few accounts once: no address and no account sees enough by itself."""
    for number in range(101):
        fails(world, f"user:{number}", f"198.18.{number // 3}.1")
    assert world.runtime.abuse.suspects.sprayed == 101
    for _ in range(20):
        fails(world, "user:1", OTHER)
    assert asks(world, "GET /open", peer=OTHER) == "blocked"
    world.runtime.flush(last=True)
    (alarm,) = drive(world.runtime.driven_side.face.read(Query(code="login_spraying")))
    assert alarm.event.count == 101
    world.clock.advance(3 * MINUTE)
    fails(world, "user:1", FRIEND[:-1] + "77")
    fails(world, "user:2", "198.19.0.1")
    assert world.runtime.abuse.suspects.sprayed == 0


def test_spraying_by_forms_of_a_hostile_page_is_noticed_and_blames_no_visitor(world: World) -> None:
    for number in range(200):
        fails(world, f"user:{number}", page=True)

    assert world.runtime.abuse.suspects.sprayed == 200
    assert asks(world, "GET /open") == "passed"


def test_without_the_table_nobody_is_suspected() -> None:
    world = World(
        POLICY.replace("[abuse]", "[operations]").replace('allow = ["203.0.113.0/24"]\ndeny = ["192.0.2.66"]', "")
    )

    assert asks(world, "GET /.env", times=500) == "route_unknown"


@pytest.mark.parametrize("name", ["half_life", "forget", "block", "longest"])
def test_points_that_last_no_time_are_no_policy(name: str) -> None:
    """The second refusal of an address would be divided by nothing: a fault, for whoever asks for it."""
    with pytest.raises(PolicyError, match="GP192"):
        World(POLICY.replace("[abuse]", f'[abuse]\n{name} = "0s"'))


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"])
@pytest.mark.parametrize("listed", ["allow", "deny"])
def test_nobody_is_let_off_or_shut_out_by_a_network_of_everybody(listed: str, network: str) -> None:
    """The IPv4 addresses have a second way of being written."""
    with pytest.raises(PolicyError, match="GP193"):
        World(
            POLICY.replace('["203.0.113.0/24"]', "[]")
            .replace('["192.0.2.66"]', "[]")
            .replace(f"{listed} = []", f'{listed} = ["{network}"]')
        )


def test_in_observe_mode_nobody_is_shut_out() -> None:
    world = World(POLICY.replace('service = "notes"', 'service = "notes"\nmode = "observe"'))
    asks(world, "GET /.env", times=50)

    assert asks(world, "GET /open") == "passed"


def test_a_feed_is_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from garrison.runtime.compose import compose

    monkeypatch.setenv("GARRISON_ENV", "development")
    (tmp_path / "bad.txt").write_text("# known\n198.51.100.0/24 ; everybody there\n\n2001:db8:bad::/48\n")
    (tmp_path / "garrison.toml").write_text(POLICY.replace("[abuse]", '[abuse]\nfeeds = ["bad.txt"]'))
    runtime = compose(tmp_path / "garrison.toml")
    try:
        lists = runtime.driven.force.lists
        assert [bool(lists.deny.find(address)) for address in (PEER, "192.0.2.66", FRIEND)] == [True, True, False]
    finally:
        runtime.close()


def test_blocks_outlive_the_process_and_are_in_the_journal(world: World) -> None:
    """With what was done to earn them."""
    asks(world, "GET /.env", times=3)
    face = world.runtime.driven_side.face
    drive(world.runtime.abuse.store(face))

    other = type(world.runtime.abuse)(world.runtime.news, world.runtime.randomness)
    drive(other.load(face))
    (block,) = other.blocked.live(world.clock.wall())
    assert block == world.runtime.abuse.blocked.live(world.clock.wall())[0]
    assert (score := other.suspects.former.get(PEER)) is not None
    assert score.parts == UNIT
    from garrison.stores.protocols import Query

    (event,) = [sealed.event for sealed in drive(face.read(Query(code="address_blocked")))]
    assert (event.subject, event.actor, event.details) == (PEER, "guard", {"honeypot": 3})
