"""The yardstick itself: what counts as held, and that the command says so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks.__main__ import line, main, modules
from benchmarks.figure import Figure, added, compare, figure, medians, run


@pytest.mark.parametrize(
    ("ours", "rival", "bar", "least", "held"),
    [(1, 4, 0.25, False, True), (1.1, 4, 0.25, False, False), (3, 4, 0.75, True, True), (2.9, 4, 0.75, True, False)],
)
def test_a_bar_is_held_at_the_bar_and_not_beyond(
    ours: float, rival: float, bar: float, least: bool, held: bool
) -> None:
    """At most, or at least."""
    made = figure("work", ours, rival, bar=bar, least=least)

    assert (made.ratio, made.held) == (ours / rival, held)
    assert line(made).startswith("held" if held else "MISSED")
    assert ("at least" if least else "at most") in line(made)


def test_each_piece_of_work_gets_its_turns() -> None:
    """Once to warm up, then rounds times calls, one after the other."""
    done: list[str] = []

    figures = medians(lambda: done.append("a"), lambda: done.append("b"), rounds=2, calls=2)

    assert done == ["a", "b", "a", "a", "b", "b", "a", "a", "b", "b"]
    assert all(spent > 0 for spent in figures)
    assert len(compare(list, dict, rounds=1, calls=10)) == len(added(list, dict, list, rounds=1, calls=10)) == 2


def test_a_coroutine_that_waits_is_not_measured_without_a_loop() -> None:
    """Its time would be somebody else's."""

    async def answers() -> int:
        return 7

    assert run(answers()) == 7
    with pytest.raises(RuntimeError):
        run(asyncio.sleep(0))


def test_finds_the_benchmarks_by_name() -> None:
    """Every module has the one function."""
    found = list(modules("cors"))

    assert [module.__name__ for module in found] == ["benchmarks.cors.bench_cors"]
    assert callable(found[0].figures)


@pytest.mark.parametrize(("bar", "status"), [(2, 0), (0.5, 1)])
def test_the_command_says_whether_the_bars_held(
    bar: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line counts, the exit status tells, the file holds the same."""
    made: list[Figure] = [figure("work", 1, 1, bar=bar)]
    monkeypatch.setattr(next(modules("cors")), "figures", lambda: made)
    file = tmp_path / "figures.json"

    assert main(["--only", "cors", "--json", str(file)]) == status
    assert capsys.readouterr().out.splitlines()[-1] == f"{1 - status} of 1 bars held"
    assert json.loads(file.read_text()) == [made[0]._asdict()]


def test_nothing_measured_is_nothing_held(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name must not look like success."""
    assert main(["--only", "no such benchmark"]) == 1
    assert "0 of 0" in capsys.readouterr().out
