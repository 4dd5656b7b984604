"""Keys of another system come in parts that one commit takes, and a mistake names the key of the file."""

from __future__ import annotations

from garrison.cli.foreign import batches, with_lines
from garrison.credentials.key_import import MOST_IMPORTED, ForeignKey
from garrison.credentials.key_order import NewKey


def test_every_key_is_in_one_part() -> None:
    keys = [ForeignKey(hash=str(number), order=NewKey(name="k")) for number in range(2 * MOST_IMPORTED + 1)]
    parts = list(batches(keys))

    assert [(first, len(part)) for first, part in parts] == [
        (0, MOST_IMPORTED),
        (MOST_IMPORTED, MOST_IMPORTED),
        (2 * MOST_IMPORTED, 1),
    ]
    assert [key for _, part in parts for key in part] == keys
    assert list(batches([])) == []


def test_a_mistake_of_a_later_part_names_the_key_as_the_file_counts() -> None:
    errors = [{"path": "[0].hash", "text": "x"}, {"path": "[2].order.scopes[1]", "text": "y"}]

    assert [error["path"] for error in with_lines(errors, MOST_IMPORTED)] == ["key 501: hash", "key 503: scopes[1]"]
