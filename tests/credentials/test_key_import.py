"""Keys of another system: taken over by their hashes, recognised at their first use."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.credentials.key_import import MOST_IMPORTED, ForeignKey
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_record import ALLOWANCES, KEEP, SCHEMES, STRAYS, KeyRecord
from garrison.credentials.key_service import Issued
from garrison.credentials.keys.foreign import read_hash
from garrison.crypto.ring import KeyRing
from garrison.errors import UsageError
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from tests.credentials.world import ADA, OLD_ROOT, ROOT, World

TEXT = "legacy-key-0123456789"
SHARED = b"the other system's HMAC key"
SHA256 = hashlib.sha256(TEXT.encode()).digest()
WAYS = [
    ("sha256", b"", SHA256.hex()),
    ("sha256", b"", SHA256.hex().upper()),
    ("sha256", b"", b64encode(SHA256).decode()),
    ("sha256", b"", urlsafe_b64encode(SHA256).decode().rstrip("=")),
    ("sha512", b"", hashlib.sha512(TEXT.encode()).hexdigest()),
    ("hmac-sha256:old", SHARED, hmac.digest(SHARED, TEXT.encode(), "sha256").hex()),
]


def _import(world: World, hash: str, scheme: str = "sha256", secret: bytes = b"") -> KeyRecord:
    rows = [ForeignKey(hash=hash, order=NewKey(name="old", scopes=("notes:read",)), owner=ADA)]
    found = drive(world.service.import_hashes(rows, world.by(), scheme, secret))
    assert not isinstance(found, Refusal), found
    return found[0]


@pytest.mark.parametrize(("scheme", "secret", "hash"), WAYS)
def test_the_old_key_works_from_the_first_moment(scheme: str, secret: bytes, hash: str) -> None:
    world = World()
    record = _import(world, hash, scheme, secret)

    principal = world.ask(TEXT)

    assert isinstance(principal, Principal)
    assert (principal.id, principal.scopes, principal.credential) == (
        ADA.id,
        frozenset(("notes:read",)),
        f"key:{record.id}",
    )


@pytest.mark.parametrize(("scheme", "secret", "hash"), WAYS[:1] + WAYS[-1:])
def test_after_its_first_use_nothing_of_the_old_scheme_is_kept(scheme: str, secret: bytes, hash: str) -> None:
    world = World()
    record = _import(world, hash, scheme, secret)
    before = world.stored(record.id).secrets[0]
    world.ask(TEXT)
    world.tend()

    after = world.stored(record.id).secrets[0]
    assert (before.scheme, after.scheme) == (scheme, "whole")
    assert drive(world.store.get(STRAYS, before.mac.hex())) is None
    assert drive(world.store.get(STRAYS, after.mac.hex())) is not None
    assert World(beside=world).reason(TEXT) == ""


def test_the_foreign_hash_itself_is_never_stored() -> None:
    """Else the old system's copy would tell whose key is whose."""
    world = World()
    record = _import(world, SHA256.hex())

    assert SHA256.hex() not in repr(world.stored(record.id))
    assert drive(world.store.get(STRAYS, SHA256.hex())) is None


def test_it_is_found_behind_bearer_too() -> None:
    world = World()
    _import(world, SHA256.hex())
    request = Request("GET", "/", [(b"authorization", b"Bearer " + TEXT.encode())])

    assert isinstance(world.judge(request), Principal)


def test_a_jwt_behind_bearer_stays_a_jwt() -> None:
    world = World()
    _import(world, SHA256.hex())

    assert world.keys.find(Request("GET", "/", [(b"authorization", b"Bearer abcdefgh.abcdefgh.abcdefgh")])) is None


def test_an_unknown_key_answers_as_any_other_and_never_reaches_the_store() -> None:
    world = World()
    _import(world, SHA256.hex())
    world.tend()
    known = world.ask(world.make().text[:-6] + "000000")
    world.ask("x" * 20)
    world.records.gets.clear()

    refusal = world.ask("another-legacy-key-0123")

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == ("credential_refused", "key_unknown_foreign")
    assert isinstance(known, Refusal)
    assert world.records.gets == []


@pytest.mark.parametrize("text", ["short", "x" * 513, "with a space in between", "caf\xe9-caf\xe9-caf\xe9-caf\xe9"])
def test_what_could_be_no_key_at_all_is_malformed(text: str) -> None:
    world = World()
    _import(world, SHA256.hex())

    assert world.reason(text) == "key_form"


def test_without_imports_another_form_is_refused_unread() -> None:
    world = World()
    world.tend()
    world.records.gets.clear()

    assert world.reason(TEXT) == "key_form"
    assert world.records.gets == []


def test_another_process_learns_of_the_first_import() -> None:
    here = World()
    there = World(beside=here)
    there.tend()
    assert there.reason(TEXT) == "key_form"
    _import(here, SHA256.hex())
    there.hear()

    assert there.reason(TEXT) == ""


def test_another_process_finds_it_after_its_mac_was_renewed() -> None:
    """The filter of existing MACs of the other process must hear of the new one."""
    here = World()
    _import(here, SHA256.hex())
    there = World(beside=here)
    there.tend()
    here.ask(TEXT)
    here.tend()
    there.clock.advance(1)
    there.hear()

    assert there.reason(TEXT) == ""


def test_a_rotated_pepper_finds_imported_keys_used_or_not() -> None:
    before = World(ring=KeyRing([OLD_ROOT]))
    _import(before, SHA256.hex())
    during = World(ring=KeyRing([ROOT, OLD_ROOT]), beside=before)
    assert during.reason(TEXT) == ""
    during.tend()

    assert World(ring=KeyRing([ROOT, OLD_ROOT]), beside=before).reason(TEXT) == ""


def test_rotated_it_becomes_a_key_of_ours() -> None:
    world = World()
    record = _import(world, SHA256.hex())
    issued = drive(world.service.rotate(record.id, world.by()))
    assert isinstance(issued, Issued)
    assert world.reason(issued.text) == world.reason(TEXT) == ""

    drive(world.service.drop_old(record.id, world.by()))

    assert (world.reason(issued.text), world.reason(TEXT)) == ("", "key_unknown")


def test_revoked_it_answers_as_an_unknown_one() -> None:
    world = World()
    record = _import(world, SHA256.hex())
    world.ask(TEXT)
    drive(world.service.revoke(record.id, world.by()))

    refusal = world.ask(TEXT)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == ("credential_refused", "key_revoked")


def test_an_imported_key_may_be_counted_too() -> None:
    world = World()
    rows = [ForeignKey(hash=SHA256.hex(), order=NewKey(name="old", uses=2))]
    assert not isinstance(drive(world.service.import_hashes(rows, world.by())), Refusal)

    assert [world.reason(TEXT) for _ in range(3)] == ["", "", "key_spent"]


def test_all_or_none() -> None:
    world = World()
    _import(world, SHA256.hex())
    rows = [ForeignKey(hash=hash, order=NewKey(name="n")) for hash in ("ab" * 32, SHA256.hex())]

    refusal = drive(world.service.import_hashes(rows, world.by()))

    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.reason) == (409, "key_known")
    assert len(_all(world)) == 1


def test_every_bad_row_is_told() -> None:
    world = World()
    rows = [ForeignKey(hash="00", order=NewKey(name="n")), ForeignKey(hash="ab" * 32, order=NewKey(name=""))]

    refusal = drive(world.service.import_hashes(rows, world.by()))

    assert isinstance(refusal, Refusal)
    assert [each["path"] for each in refusal.members["errors"]] == ["[0].hash", "[1].order.name"]


def test_only_the_operator_imports() -> None:
    world = World()

    assert isinstance(drive(world.service.import_hashes([], world.by(ADA))), Refusal)


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        ("md5", b""),
        ("", b""),
        ("sha256", SHARED),
        ("hmac-sha256:x", b""),
        ("hmac-sha256:x", b"short"),
        ("hmac-sha256", SHARED),
    ],
)
def test_a_scheme_is_known_and_has_its_key(scheme: str, secret: bytes) -> None:
    world = World()
    with pytest.raises(UsageError):
        drive(world.service.import_hashes([], world.by(), scheme, secret))


def test_too_many_at_once() -> None:
    world = World()
    rows = [ForeignKey(hash="ab" * 32, order=NewKey(name="n"))] * (MOST_IMPORTED + 1)
    with pytest.raises(UsageError, match="at once"):
        drive(world.service.import_hashes(rows, world.by()))


def test_the_other_systems_key_is_kept_sealed() -> None:
    world = World()
    _import(world, hmac.digest(SHARED, TEXT.encode(), "sha256").hex(), "hmac-sha256:old", SHARED)

    (scheme,) = drive(world.store.find(SCHEMES, "", ""))
    assert SHARED.hex() not in scheme.sealed
    assert SHARED.decode() not in scheme.sealed


@given(st.binary(min_size=32, max_size=32), st.sampled_from([bytes.hex, b64encode, urlsafe_b64encode]))
def test_a_hash_is_read_however_it_was_written(digest: bytes, write: Callable[[bytes], str | bytes]) -> None:
    text = write(digest)

    assert read_hash("sha256", text.decode() if isinstance(text, bytes) else text) == digest


@given(st.text(max_size=70))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(UsageError, match="sha512"):
        read_hash("sha512", text)


def _all(world: World) -> Sequence[object]:
    found = drive(world.service.list(world.by()))
    assert not isinstance(found, Refusal)
    return found


def test_the_process_that_imports_knows_at_once() -> None:
    """It was sure that no foreign key exists."""
    world = World()
    world.tend()
    assert world.reason(TEXT) == "key_form"
    _import(world, SHA256.hex())

    assert world.reason(TEXT) == ""


def test_one_scheme_takes_as_many_imports_as_there_are() -> None:
    world = World()
    for text in (TEXT, TEXT[::-1]):
        _import(world, hashlib.sha256(text.encode()).hexdigest())

    assert [world.reason(text) for text in (TEXT, TEXT[::-1])] == ["", ""]


def test_as_many_as_are_allowed_at_once_are_imported() -> None:
    world = World()
    rows = [ForeignKey(hash=f"{number:064x}", order=NewKey(name="n")) for number in range(500)]

    assert len(_records(drive(world.service.import_hashes(rows, world.by())))) == MOST_IMPORTED == 500


def test_the_shortest_key_of_another_system_has_16_bytes() -> None:
    """Both sides: a shorter one could be guessed from one hash that got out."""
    world = World()
    short = bytes(range(16))
    _import(world, hmac.digest(short, TEXT.encode(), "sha256").hex(), "hmac-sha256:short", short)

    assert world.reason(TEXT) == ""
    with pytest.raises(UsageError):
        drive(world.service.import_hashes([], world.by(), "hmac-sha256:x", short[:15]))


def test_a_scheme_that_cannot_be_unsealed_takes_no_other_along() -> None:
    before = World(ring=KeyRing([OLD_ROOT]))
    _import(before, hmac.digest(SHARED, TEXT.encode(), "sha256").hex(), "hmac-sha256:old", SHARED)
    during = World(ring=KeyRing([ROOT, OLD_ROOT]), beside=before)
    _import(during, hashlib.sha256(TEXT[::-1].encode()).hexdigest())

    after = World(ring=KeyRing([ROOT]), beside=before)

    assert [after.reason(text) for text in (TEXT, TEXT[::-1])] == ["key_unknown_foreign", ""]


def test_an_import_says_how_and_ends_when_the_order_says() -> None:
    world = World()
    rows = [ForeignKey(hash=SHA256.hex(), order=NewKey(name="old", uses=2, expires_in="1h"))]
    (record,) = _records(drive(world.service.import_hashes(rows, world.by())))

    assert drive(world.store.get(ALLOWANCES, record.id)).purge == record.purge == record.expires + KEEP
    assert record.created == record.secrets[0].created == world.clock.wall()
    assert (record.owner, record.subject_kind) == (f"service:{record.id}", "service")


def _records(answer: Sequence[KeyRecord] | Refusal) -> Sequence[KeyRecord]:
    assert not isinstance(answer, Refusal), answer
    return answer
