"""scripts/interval_coverage.py measures the intervals that reports have."""

import numpy as np
import pytest
from conftest import ROOT
from scipy import stats

from convexp.reporting.paired import paired_test


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import interval_coverage

    return interval_coverage


@pytest.mark.parametrize("n", [5, 8])
def test_widths_are_those_of_reports_and_of_students_t(script, n):
    differences = np.random.default_rng(n).normal(size=n)
    mean, ours, student = script._widths(differences)
    assert mean == pytest.approx(differences.mean())
    assert ours == paired_test(differences.tolist()).half_width()
    low, high = stats.t.interval(0.95, n - 1, mean, stats.sem(differences))
    assert student == pytest.approx((high - low) / 2)


@pytest.mark.parametrize("name", ["normal", "exponential (skewed)", "one run in five fails"])
def test_distributions_have_mean_zero_and_deviation_one(script, name):
    drawn = script.DISTRIBUTIONS[name](np.random.default_rng(0), 100_000)
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.std() == pytest.approx(1, rel=0.02)


def test_table_has_a_row_for_each_distribution_and_number(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["interval_coverage.py", "--sets", "2"])
    script.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| {name}", str(n)] for name in script.DISTRIBUTIONS for n in script.NUMBERS
    ]
