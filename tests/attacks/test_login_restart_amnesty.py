"""Attack: make the service restart, so that it forgets the guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.testing.clock import ManualClock
from tests.accounts.api import Api, sqlite
from tests.accounts.world import MINUTE, THERE

WRONG = "purple mattress 92"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_guesses_before_a_restart_count_after_it(folder: Path) -> None:
    clock = ManualClock()
    before = Api(sqlite(folder), clock)
    before.register("ada")
    assert [before.login("ada", WRONG, peer=THERE).status for _ in range(3)] == [401] * 3
    before.runtime.close()

    after = Api(sqlite(folder), clock)

    assert [after.login("ada", WRONG, peer=THERE).status for _ in range(4)] == [401, 401, 429, 429]
    after.runtime.close()


def test_a_restart_each_guess_gains_nothing_and_the_window_still_ends(folder: Path) -> None:
    clock, statuses = ManualClock(), []
    for _ in range(7):
        api = Api(sqlite(folder), clock)
        statuses.append(api.login("ghost", WRONG, peer=THERE).status)
        api.runtime.close()
    clock.advance(15 * MINUTE)
    api = Api(sqlite(folder), clock)
    statuses.append(api.login("ghost", WRONG, peer=THERE).status)
    api.runtime.close()

    assert statuses == [401] * 5 + [429] * 2 + [401]


def test_a_kill_between_counting_and_answering_leaves_the_guess_counted(folder: Path) -> None:
    """The place is durable before the password is looked at."""

    class KilledError(BaseException):
        """The process ends here."""

    clock = ManualClock()
    api = Api(sqlite(folder), clock)

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    api.runtime.hash_pool.submit = killed  # type: ignore[method-assign]  # the machine dies right here
    for _ in range(5):
        with pytest.raises(KilledError):
            api.login("ada", WRONG, peer=THERE)
    api.runtime.store.close()

    assert Api(sqlite(folder), clock).login("ada", WRONG, peer=THERE).status == 429
