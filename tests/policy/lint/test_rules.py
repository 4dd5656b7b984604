"""Every rule bites its bad example and leaves its good one alone."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from garrison.policy.lint import RULES, THEMES, Example, Rule
from garrison.policy.load import read

FILES = {"note.json": b'{"type": "object"}', "ill.json": b'{"type": "strange"}'}


def found(example: Example, tmp_path: Path) -> list[str]:
    """Numbers of the problems of an example, and a demand that nothing but rules speaks."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    file = tmp_path / "garrison.toml"
    file.write_text(example.text, encoding="utf-8")
    reading = read(file, example.environment)
    assert reading.policy is not None, reading.problems
    return [problem.rule for problem in reading.problems]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_bites_its_bad_example(rule: Rule, tmp_path: Path) -> None:
    assert rule.number in found(rule.bad, tmp_path)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_leaves_its_good_example_alone(rule: Rule, tmp_path: Path) -> None:
    assert rule.number not in found(rule.good, tmp_path)


def test_no_two_rules_share_a_number() -> None:
    """The later one would silently take the other's place."""
    written = [number for theme in THEMES for number in re.findall(r'@rule\(\s*"(GP\d+)"', inspect.getsource(theme))]

    assert sorted(written) == sorted(RULES)
