"""The chart of ensembles: there is none without a share, and its alt text counts its members."""

import pytest

from convexp.records.ensembles import ERROR_IN_RANGE, EnsembleRecord, Measured
from convexp.reporting.charts.members import members_chart
from convexp.reporting.formatting import MISSING
from convexp.reporting.members import member_rows


def record(metric, *sizes):
    ensembles = [Measured(seeds=list(range(size)), metrics={metric: 0.5}) for size in sizes]
    return EnsembleRecord(mean_of="outputs", runs=[], images="", ensembles=ensembles)


def test_ensembles_that_have_a_loss_alone_have_no_chart():
    assert members_chart(record("test/loss", 1, 2), "imitation") is None


@pytest.mark.parametrize(("metric", "axes"), [("test/acc", ["per cent"]), (ERROR_IN_RANGE, ["equivariance error"])])
def test_shares_and_errors_have_axes_of_their_own(metric, axes):
    chart = members_chart(record(metric, 1, 2), "dense")
    assert chart is not None
    assert [each.get_ylabel() for each in chart.figure.axes] == axes
    assert chart.figure.axes[0].get_yscale() == ("linear" if metric == "test/acc" else "log")


def test_wide_intervals_of_two_ensembles_leave_room_for_the_errors():
    errors = {(0,): 0.4, (1,): 0.2, (0, 1): 0.15}
    ensembles = [Measured(seeds=list(seeds), metrics={ERROR_IN_RANGE: error}) for seeds, error in errors.items()]
    chart = members_chart(EnsembleRecord(mean_of="outputs", runs=[], images="", ensembles=ensembles), "dense")
    assert chart is not None
    assert chart.figure.axes[0].get_ylim() == pytest.approx((0.15 / 2, 0.3 * 2))


def test_an_error_of_zero_is_drawn():
    ensembles = [Measured(seeds=[0], metrics={ERROR_IN_RANGE: 0.0}), Measured(seeds=[0, 1], metrics={ERROR_IN_RANGE: 0.0})]
    chart = members_chart(EnsembleRecord(mean_of="outputs", runs=[], images="", ensembles=ensembles), "conv")
    assert chart is not None
    assert chart.figure.axes[0].get_yscale() == "linear"


@pytest.mark.parametrize(("sizes", "said"), [((1,), "At 1 member: test "), ((1, 2), "At 2 members: test ")])
def test_the_text_counts_the_members(sizes, said):
    chart = members_chart(record("test/acc", *sizes), "local")
    assert chart is not None
    assert chart.alt_text.startswith(said)


def test_numbers_that_are_too_large_have_no_mean():
    strange = record("test/acc", 1, 1, 2)
    strange.ensembles[0].metrics["test/acc"] = 1e300
    assert member_rows(strange)[1:] == [["1", "2", "50.0"], ["2", "1", "50.0"]]
    strange.ensembles[1].metrics["test/acc"] = -1e300
    assert member_rows(strange)[1] == ["1", "2", MISSING]
    assert members_chart(strange, "conv") is not None
