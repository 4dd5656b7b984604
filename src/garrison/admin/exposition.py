"""Write metrics in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.model.metric import Metric, Sample

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_ESCAPED_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


def exposition(metrics: Iterable[Metric]) -> bytes:
    """Write them, each with its help and its kind; a metric without samples is left out."""
    lines: list[str] = []
    for metric in metrics:
        if metric.samples:
            lines.append(f"# HELP {metric.name} {metric.help.translate(_ESCAPED_HELP)}")
            lines.append(f"# TYPE {metric.name} {metric.kind}")
            lines += [f"{metric.name}{each.part}{_labels(each)} {each.value:.17g}" for each in metric.samples]
    return "".join([f"{line}\n" for line in lines]).encode()


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    return "{" + ",".join([f'{name}="{value.translate(_ESCAPED)}"' for name, value in sample.labels]) + "}"
