"""MACs made anew: a rotated pepper is replaced key by key, at their next use."""

from __future__ import annotations

from garrison.credentials.key_change import OPERATOR, By
from garrison.crypto.ring import KeyRing
from garrison.guard.drive import drive
from tests.credentials.world import OLD_ROOT, ROOT, World

OLD, BOTH, NEW = KeyRing([OLD_ROOT]), KeyRing([ROOT, OLD_ROOT]), KeyRing([ROOT])


def test_a_used_key_survives_the_loss_of_the_old_pepper() -> None:
    before = World(ring=OLD)
    used, idle = before.make(), before.make()
    during = World(ring=BOTH, beside=before)
    assert during.reason(used.text) == ""
    during.tend()

    after = World(ring=NEW, beside=before)

    assert after.reason(used.text) == ""
    assert after.reason(idle.text) == "key_row_forged", "nobody can tell any more that it is genuine"


def test_nothing_is_written_while_the_pepper_is_current() -> None:
    world = World()
    world.reason(world.make().text)
    world.tend()
    world.records.commits.clear()
    world.tend()

    assert world.records.commits == []


def test_a_change_in_between_is_not_undone() -> None:
    """The key was revoked between its use and the flush."""
    before = World(ring=OLD)
    issued = before.make()
    during = World(ring=BOTH, beside=before)
    during.reason(issued.text)
    drive(during.service.revoke(issued.record.id, By(OPERATOR, during.clock.wall())))
    during.tend()

    record = during.stored(issued.record.id)
    assert (record.status, record.secrets[0].pepper) == ("revoked", BOTH.current)
    assert during.reason(issued.text) == "key_revoked"


def test_a_secret_that_was_dropped_meanwhile_does_not_come_back() -> None:
    before = World(ring=OLD)
    issued = before.make()
    during = World(ring=BOTH, beside=before)
    during.reason(issued.text)
    drive(during.service.rotate(issued.record.id, during.by(), 0))
    during.tend()

    assert [secret.id for secret in during.stored(issued.record.id).secrets] != [issued.record.secrets[0].id]
    assert during.reason(issued.text) == "key_unknown"


def test_a_row_that_was_forged_meanwhile_is_left_alone() -> None:
    before = World(ring=OLD)
    issued = before.make()
    during = World(ring=BOTH, beside=before)
    during.reason(issued.text)
    during.tamper(issued.record.id, scopes=("admin:*",))
    during.tend()

    assert during.row(issued.record.id).root == OLD.current, "sealing it would make the forgery genuine"
