"""The table on the terminal and as CSV."""

import csv
import io

import pytest
from rich.console import Console

from convexp.reporting.groups import Group
from convexp.reporting.table import rich_table, write_csv


def run(seed: int, **metrics: float) -> dict:
    return {"seed": seed, "network": {"parameters": 1_234_567}, "metrics": metrics}


GROUPS = [
    Group(
        "conv readout=global_avg train=0.2", [run(0, **{"test/acc": 0.98, "probe/x/all": 1.0}), run(1, **{"test/acc": 0.99})]
    ),
    Group("local", [run(0, **{"test/acc": 0.97, "probe/shift_map/mean": 0.5, "seconds_per_epoch": 2.0})]),
]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_no_word_and_no_number_is_broken(width):
    stream = io.StringIO()
    Console(file=stream, width=width, soft_wrap=True).print(rich_table(GROUPS, "title"))
    words = stream.getvalue().split()
    for word in ("readout=global_avg", "train=0.2", "1,234,567", "98.5", "local"):
        assert word in words


def test_every_metric_is_in_the_csv(tmp_path):
    write_csv(GROUPS, tmp_path / "summary.csv")
    with (tmp_path / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["n"] for row in rows] == ["2", "1"]
    assert float(rows[0]["test/acc mean"]) == pytest.approx(0.985)
    assert float(rows[0]["test/acc ci95"]) == pytest.approx(12.706 * 0.005, rel=1e-3)  # Student's t, one degree of freedom
    assert (rows[0]["probe/x/all mean"], rows[1]["probe/x/all mean"]) == ("1.0", "")
    assert rows[1]["seconds_per_epoch mean"] == "2.0"
