"""What a fleet is planned from is measured on requests that did what their line says."""

from __future__ import annotations

import re

import pytest

from tools.plan import Sizes, main


def test_every_table_is_printed_and_every_request_did_what_its_line_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Sizes(requests=60, keys=3, subjects=50, rows=10)) == 0

    lines = capsys.readouterr().out.splitlines()
    answers = [re.findall(r"([\d,]+) of (\d+)", line) for line in lines if " µs " in line]
    assert [[status for _, status in each] for each in answers] == [
        *(["200"], ["200"], ["201"], ["200"], ["200"]),
        *(["401"], ["429"], ["200"]),
    ]
    assert [len(line.split("|")) - 2 for line in lines if line.startswith("|---")] == [7, 2, 2, 3]
