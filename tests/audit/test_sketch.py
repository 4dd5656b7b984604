"""What the sketch promises, on streams that try to make it forget."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from garrison.audit.sketch import Heavy, Sketch

STREAMS = st.lists(st.tuples(st.integers(0, 30).map(str), st.integers(1, 50)), max_size=300)


@given(STREAMS, st.integers(1, 12))
def test_a_count_is_never_too_low_and_at_most_as_much_too_high_as_it_says(
    stream: list[tuple[str, int]], room: int
) -> None:
    sketch, true = Sketch(room), Counter[str]()
    for name, weight in stream:
        sketch.add(name, weight)
        true[name] += weight

    held = sketch.top(room + 1)
    assert len(held) <= room
    assert sketch.total == true.total()
    assert all(heavy.weight - heavy.over <= true[heavy.name] <= heavy.weight for heavy in held)
    assert {name for name, weight in true.items() if weight * room > sketch.total} <= {heavy.name for heavy in held}


@given(STREAMS)
def test_with_room_for_all_it_is_exact(stream: list[tuple[str, int]]) -> None:
    sketch, true = Sketch(31), Counter[str]()
    for name, weight in stream:
        sketch.add(name, weight)
        true[name] += weight

    assert sketch.top(31) == [Heavy(name, true[name], 0) for name in sorted(true, key=lambda name: (-true[name], name))]


def test_a_flood_of_invented_names_does_not_hide_who_is_heavy() -> None:
    sketch = Sketch(16)
    for number in range(4_000):
        sketch.add(f"invented-{number}")
        if number % 10 == 0:
            sketch.add("198.51.100.7")

    assert sketch.top(1)[0].name == "198.51.100.7"
