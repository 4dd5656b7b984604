"""What does `import garrison.limits` cost a fresh interpreter? Rival: `import limits`, in the same run.

CPU time of a child process beyond that of one that imports nothing, compiled files at hand on both sides.
"""

from __future__ import annotations

from benchmarks.figure import Figure, figure, import_cpu

__all__ = ["figures"]


def figures() -> list[Figure]:
    """Measure both imports."""
    return [figure("import CPU of garrison.limits against limits", *import_cpu("garrison.limits", "limits"), bar=0.65)]
