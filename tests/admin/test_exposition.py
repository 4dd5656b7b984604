"""What is written for a collector is read by the collector's own parser as what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from garrison.admin.exposition import exposition
from garrison.model.metric import Histogram, Metric, Sample

NAMES = st.from_regex(r"garrison_[a-z_]{1,20}[a-z]", fullmatch=True).filter(lambda name: not name.endswith("_total"))
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from('\\"\n{},=')
)
VALUES = st.integers(0, 2**53).map(float) | st.floats(allow_nan=False)


@given(NAMES, TEXTS, st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5))
def test_every_label_and_every_value_comes_back(name: str, help: str, values: dict[str, float]) -> None:
    """A path or a limit's name that could end its line early would write series of its own."""
    samples = tuple(Sample(value, (("route", label), ("code", "x"))) for label, value in values.items())

    text = exposition([Metric(name, "gauge", help, samples)]).decode()

    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type) == (name, "gauge")
    assert {each.labels["route"]: each.value for each in family.samples} == values


def test_a_counter_without_labels_and_one_without_samples() -> None:
    empty = Metric("garrison_b_total", "counter", "Nothing yet.", ())

    text = exposition([Metric("garrison_a_total", "counter", "All.", (Sample(7),)), empty])

    assert text == b"# HELP garrison_a_total All.\n# TYPE garrison_a_total counter\ngarrison_a_total 7\n"


@given(st.lists(st.floats(0, 100), max_size=50))
def test_a_histogram_counts_every_value_in_every_bucket_that_reaches_it(values: list[float]) -> None:
    """A bucket that counted alone would be read as a negative one."""
    histogram = Histogram((0.5, 1, 20))
    for value in values:
        histogram.add(value)

    text = exposition([Metric("garrison_a_seconds", "histogram", "How long.", tuple(histogram.samples()))]).decode()

    (family,) = text_string_to_metric_families(text)
    found = {(each.name, each.labels.get("le", "")): each.value for each in family.samples}
    below = {bound: sum(value <= float(bound) for value in values) for bound in ("0.5", "1", "20", "+Inf")}
    assert family.type == "histogram"
    assert found == {
        **{("garrison_a_seconds_bucket", bound): count for bound, count in below.items()},
        ("garrison_a_seconds_sum", ""): pytest.approx(sum(values)),
        ("garrison_a_seconds_count", ""): len(values),
    }
