"""A whole journal proves whole, and every way to damage one is seen and named (attacks on a file: `tests/attacks`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from garrison.audit.verify import MOST_FLAWS, Proof, Report, anchor, anchors, verify
from garrison.crypto.chain import GENESIS
from garrison.model.event import Event
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Head, Query, Sealed
from garrison.stores.sealing import Links, follow, head_of
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY
from tests.audit.journal import events, heads, journal
from tests.stores.storm import drive

OTHER_KEY = b"another key for a chain, in tests only"


def prove(
    found: Iterable[Sealed], ends: Sequence[Head], keys: Sequence[bytes] = (KEY,), marks: Sequence[Head] = ()
) -> Report:
    proof = Proof(keys, ends, marks)
    for sealed in found:
        proof.feed(sealed)
    return proof.finish()


def kinds(report: Report) -> list[tuple[int, str]]:
    return [(flaw.sequence, flaw.kind) for flaw in report.flaws]


def test_a_whole_journal_has_no_flaw() -> None:
    """Nor has an empty one."""
    records = journal()

    assert prove(events(records), heads(records)) == Report(5, heads(records), (), 0)
    assert drive(verify(records, [KEY])).whole
    assert drive(verify(MemoryRecords(ManualClock(), KEY), [KEY])).whole


def test_every_damage_has_its_name() -> None:
    """Altered, missing, out of order, cut off, and what cannot be told apart."""
    records = journal()
    whole, ends = events(records), heads(records)
    other = replace(whole[2], event=replace(whole[2].event, actor="user:eve"))
    body = whole[2].body.replace(b"ada", b"eve")
    changed = replace(other, body=body)

    assert kinds(prove([*whole[:2], changed, *whole[3:]], ends)) == [(3, "altered")]
    assert kinds(prove([*whole[:2], other, *whole[3:]], ends)) == [(3, "altered")]
    assert kinds(prove([*whole[:2], replace(whole[2], mac="zz"), *whole[3:]], ends)) == [(3, "altered")]
    assert kinds(prove([*whole[:2], *whole[3:]], ends)) == [(3, "missing")]
    assert kinds(prove(whole[1:], ends)) == [(1, "missing")]
    assert kinds(prove(whole[:3], ends)) == [(4, "cut")]
    assert kinds(prove([], ends)) == [(1, "cut")]
    assert kinds(prove([*whole[:3], whole[2], *whole[3:]], ends)) == [(3, "order")]
    assert (3, "missing") in kinds(prove([*whole[:2], whole[3], whole[2], whole[4]], ends))
    renumbered = [replace(sealed, sequence=sealed.sequence - 1) for sealed in whole[3:]]
    assert kinds(prove([*whole[:2], *renumbered], ends)) == [(3, "altered"), (4, "altered"), (5, "cut")]
    assert kinds(prove(whole, ())) == [(0, "head")]
    assert kinds(prove(whole, [replace(ends[0], sequence=3)])) == [(0, "head")]
    assert kinds(prove(whole, ends, [OTHER_KEY]))[0] == (0, "head")


def test_the_last_event_is_the_one_the_head_was_sealed_over() -> None:
    """An older end that was genuine once does not pass for the present one with its links changed."""
    records = journal()
    whole, ends = events(records), heads(records)

    assert kinds(prove([*whole[:4], replace(whole[4], mac="00" * 32)], ends)) == [(5, "altered"), (5, "altered")]


def test_events_beyond_the_head_are_left_for_the_next_time() -> None:
    """They were written after the head was read."""
    records = journal(3)
    ends = heads(records)
    drive(records.append([Event(code="more", at=1)]))

    assert prove(events(records), ends).events == 3


def test_an_event_of_one_chain_cannot_begin_another() -> None:
    """The name of the chain is part of every link."""
    records = journal(1)
    moved = [replace(sealed, writer="other") for sealed in events(records)]
    end = Links(1, bytes.fromhex(moved[0].mac))

    assert kinds(prove(moved, [head_of(KEY, "other", end, Links())])) == [(1, "altered")]


def test_older_keys_prove_what_was_sealed_with_them() -> None:
    """After the root key was replaced."""
    bodies = [sealed.body for sealed in events(journal())]
    old = follow(OTHER_KEY, "main", Links(), bodies[:3])
    new = follow(KEY, "main", old[-1], bodies[3:])
    found = [replace(sealed, mac=link.mac.hex()) for sealed, link in zip(events(journal()), [*old, *new], strict=True)]
    ends = [head_of(KEY, "main", new[-1], Links())]

    assert prove(found, ends, [KEY, OTHER_KEY]).whole
    assert [kind for _, kind in kinds(prove(found, ends, [KEY]))] == ["altered"] * 3


def test_an_anchor_shows_what_a_rolled_back_store_hides() -> None:
    """Events, heads and all were put back to an earlier, perfectly genuine state."""
    records = journal(3)
    whole, ends = events(records), heads(records)
    drive(records.append([Event(code="embarrassing", at=1)]))
    marks = anchors(drive(anchor(records)))

    assert prove(whole, ends).whole
    assert kinds(prove(whole, ends, marks=marks)) == [(4, "anchor")]
    assert kinds(prove([], (), marks=marks)) == [(0, "anchor")]
    assert prove(events(records), heads(records), marks=marks).whole
    assert prove(events(records), heads(records), marks=ends).whole


def test_an_anchor_shows_a_chain_that_was_written_anew() -> None:
    """By somebody who has the key, or by the store itself after it was emptied."""
    marks = heads(journal(3))
    forged = MemoryRecords(ManualClock(), KEY)
    drive(forged.append([Event(code="harmless", at=1)] * 3))

    assert kinds(prove(events(forged), heads(forged), marks=marks)) == [(3, "anchor")]


def test_an_anchor_that_retention_has_passed_is_no_flaw_and_a_forged_one_is() -> None:
    """What was trimmed away is vouched for by the head."""
    records = journal(5)
    marks = [head_of(KEY, "main", Links(2, bytes.fromhex(events(records)[1].mac)), Links())]
    drive(records.trim(2**60, limit=3))

    assert prove(events(records), heads(records), marks=marks).whole
    assert kinds(prove(events(records), heads(records), marks=[replace(marks[0], sequence=4)])) == [(0, "anchor")]


def test_anchors_are_lines_that_read_back() -> None:
    """An operator keeps them in a file, a mail, a printed sheet."""
    records = journal()

    assert anchors(drive(anchor(records))) == heads(records)
    assert anchors(b"\n") == ()
    with pytest.raises(msgspec.MsgspecError):
        anchors(b"not an anchor\n")


def test_a_journal_of_nothing_but_flaws_is_reported_in_bounded_memory() -> None:
    """All are counted, the first thousand are listed."""
    records = journal(MOST_FLAWS + 50)
    found = [replace(sealed, mac="00" * 32) for sealed in events(records)]
    report = prove(found, heads(records))

    assert len(report.flaws) == MOST_FLAWS
    assert report.total >= MOST_FLAWS + 50


def test_a_thousand_flaws_are_listed_and_not_one_is_counted_twice() -> None:
    """The report says how much is damaged, beyond what it shows."""
    records = journal(MOST_FLAWS + 50)
    found = [replace(sealed, event=replace(sealed.event, actor="user:eve")) for sealed in events(records)]

    report = prove(found, heads(records))

    assert (len(report.flaws), report.total) == (1_000, 1_050)


def test_a_cut_names_what_is_gone() -> None:
    """Whoever looks for the events in a backup reads which from the report."""
    records = journal()

    (flaw,) = prove(events(records)[:3], heads(records)).flaws

    assert flaw.text == "events 4 to 5 are cut off"


def test_a_journal_of_several_pages_is_read_once_and_whole() -> None:
    """Nothing between two pages is passed over, nor proved twice."""
    records = journal(2_345)

    report = drive(verify(records, [KEY]))

    assert (report.events, report.whole) == (2_345, True)


class Trimming(MemoryRecords):
    """Retention runs between two reads of a proof, as another process may."""

    rounds = 1

    async def read(self, query: Query, after: tuple[str, int] = ("", 0)) -> Sequence[Sealed]:
        if after == ("", 0) and self.rounds:
            self.rounds -= 1
            await self.trim(2**60, limit=1)
        return await super().read(query, after)


def test_retention_meanwhile_is_no_flaw() -> None:
    """The proof begins again when a chain begins elsewhere."""
    records = Trimming(ManualClock(), KEY)
    drive(records.append([Event(code=f"e{number}", at=1) for number in range(5)]))

    assert drive(verify(records, [KEY])).whole


DAMAGE = st.sampled_from(["drop", "swap", "double", "event", "mac", "number", "writer"])


@given(st.integers(0, 6), DAMAGE, st.integers(0, 255))
def test_no_single_damage_goes_unseen(place: int, damage: str, noise: int) -> None:
    """Wherever it is."""
    records = journal(7)
    whole, ends = events(records), heads(records)
    found, hit = list(whole), whole[place]
    if damage == "drop":
        del found[place]
    elif damage == "swap":
        found[place], found[place - 1] = found[place - 1], found[place]
    elif damage == "double":
        found.insert(noise % 8, hit)
    elif damage == "event":
        found[place] = replace(hit, body=hit.body.replace(b"1", b"2").replace(b"ada", b"ad%d" % noise))
    elif damage == "mac":
        byte = bytes.fromhex(hit.mac)
        found[place] = replace(hit, mac=bytes([byte[0] ^ (noise or 1), *byte[1:]]).hex())
    elif damage == "number":
        found[place] = replace(hit, sequence=hit.sequence + noise + 1)
    else:
        found[place] = replace(hit, writer="main-2")

    assert not prove(found, ends).whole
    assert prove(whole, ends).whole


def test_a_link_is_no_head() -> None:
    """Nobody can pass an event's link off as a head's seal."""
    sealed = events(journal(1))[0]
    forged = Head(writer="main", sequence=1, mac=GENESIS.hex(), base=0, base_mac=GENESIS.hex(), seal=sealed.mac)

    assert kinds(prove([], [forged]))[0] == (0, "head")
