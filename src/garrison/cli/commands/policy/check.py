"""`garrison check`: everything that is wrong with a policy, and where it and the application differ."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garrison.cli.options import POLICY, AppName, Json, PolicyFile, commands
from garrison.cli.screen import counted, printable, rows, say, show

if TYPE_CHECKING:
    from garrison.cli.compare import Comparison
    from garrison.errors import Problem
    from garrison.policy.load import Reading

__all__ = ["app", "check"]

app = commands()

_Strict = Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")]


@app.command()
def check(policy: PolicyFile = POLICY, application: AppName = "", strict: _Strict = False, json: Json = False) -> None:
    """Find what is wrong with the policy, and where the app differs.

    Exit status 1 when there are errors. Warnings are shown and pass, unless --strict is given.
    """
    from garrison.cli.policy_file import reading

    found = reading(policy)
    compared = _compared(found, application) if application and found.policy is not None else None
    both = (*found.problems, *(compared.problems if compared else ()))
    problems = sorted(both, key=lambda problem: (problem.line, problem.rule))
    if json:
        show(_as_json(policy, found, compared, problems))
    else:
        _print(policy, problems)
        say(_summary(found, compared, len(problems)))
    if any(strict or problem.severity == "error" for problem in problems):
        raise typer.Exit(1)


def _compared(found: Reading, application: str) -> Comparison:
    from garrison.adapters.routes import found_routes
    from garrison.cli.application import load_app
    from garrison.cli.compare import compare
    from garrison.cli.policy_file import rows_of
    from garrison.policy.table import demands

    assert found.policy is not None  # noqa: S101  # the caller has looked
    return compare(found_routes(load_app(application)), demands(found.policy, rows_of(found.policy)), found.places)


def _print(policy: Path, problems: list[Problem]) -> None:
    """Print problems: a table for a person, `FILE:LINE: …` for editors and pipes."""
    if problems and sys.stdout.isatty():
        columns = ("", "rule", "line", "path", "problem", "remedy")
        rows(columns, [(p.severity, p.rule, p.line or "", p.path, p.text, p.remedy) for p in problems])
        return
    for problem in problems:
        place = f"{policy}:{problem.line}" if problem.line else str(policy)
        path = f" {problem.path}" if problem.path else ""
        told = f"{place}: {problem.severity} {problem.rule}{path}: {problem.text}. {problem.remedy}"
        say(printable(told))


def _summary(found: Reading, compared: Comparison | None, count: int) -> str:
    problems = counted(count, "problem")
    if compared is not None:
        return f"{counted(compared.routes, 'route')}, {compared.known} in the policy, {problems}"
    return f"{counted(len(found.policy.routes), 'route')} in the policy, {problems}" if found.policy else problems


def _as_json(policy: Path, found: Reading, compared: Comparison | None, problems: list[Problem]) -> dict[str, object]:
    told: dict[str, object] = {"policy": str(policy), "problems": [problem._asdict() for problem in problems]}
    if compared is not None:
        return {**told, "routes": compared.routes, "in_policy": compared.known}
    return {**told, "in_policy": len(found.policy.routes) if found.policy else 0}
