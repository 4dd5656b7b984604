"""Run every benchmark: a line per figure with its bar, and how many bars held.

`python -m benchmarks [--only NAME] [--json FILE]`; the exit status is 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from benchmarks.figure import Figure

__all__ = ["line", "main", "modules"]

_HERE = Path(__file__).parent


def modules(only: str = "") -> Iterator[ModuleType]:
    """Import the benchmarks, those whose path contains `only`, in the order of their paths."""
    for path in sorted(_HERE.rglob("bench_*.py")):
        place = path.relative_to(_HERE).with_suffix("")
        if only in str(place):
            yield import_module(".".join(("benchmarks", *place.parts)))


def line(figure: Figure) -> str:
    """Write one figure, its bar and its verdict."""
    verdict = "held" if figure.held else "MISSED"
    bar = f"{'at least' if figure.least else 'at most'} {figure.bar:.3g}"
    return f"{verdict:7}{figure.ratio:9.3f}  {bar:15} {figure.name} ({figure.ours:.4g} against {figure.rival:.4g})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks.

    Args:
        arguments: Of the command line; None: those of the process.

    Returns:
        The exit status: 0 when every bar held.
    """
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="run the modules whose path contains NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    for module in modules(options.only):
        for figure in module.figures():
            print(line(figure), flush=True)
            figures.append(figure)
    if options.json is not None:
        options.json.write_text(json.dumps([figure._asdict() for figure in figures], indent=1) + "\n")
    held = sum(figure.held for figure in figures)
    print(f"{held} of {len(figures)} bars held")
    return 0 if figures and held == len(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
