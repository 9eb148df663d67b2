"""``metrics.csv`` as a run writes it, row by row."""

import csv

from hypothesis import given
from hypothesis import strategies as st

from convexp.records.metrics_file import read_metrics
from convexp.tracking.metrics_csv import MetricsCSV

VALUES = st.dictionaries(st.sampled_from(["train/loss", "val/acc", "epoch", "a, b"]), st.integers(0, 9), min_size=1, max_size=3)


@given(st.lists(st.tuples(st.integers(0, 2), VALUES, st.booleans()), min_size=1, max_size=12), st.integers(0, 12))
def test_the_file_has_all_rows_whenever_it_is_written(tmp_path_factory, logged, resumed_at):
    """Steps that are logged again are one row, columns come late, and a run is resumed somewhere."""
    folder = tmp_path_factory.mktemp("run")
    logger, step, expected = MetricsCSV(folder), 0, []
    for number, (further, values, save) in enumerate(logged):
        if number == resumed_at and expected:
            logger.save()
            logger = MetricsCSV(folder, purge_step=step)
            columns = dict.fromkeys(name for row in expected for name in row)  # those that were written stay
            expected = [{name: row.get(name, "") for name in columns} for row in expected if row["step"] < step]
        step += further
        logger.log_metrics(values, step)
        if expected and expected[-1]["step"] == step:
            expected[-1] |= values
        else:
            expected.append({"step": step, **values})
        if save:
            logger.save()
            check(folder, expected)
    logger.finalize("success")
    check(folder, expected)


def check(folder, expected):
    names = list(dict.fromkeys(name for row in expected for name in row))
    assert read_metrics(folder / "metrics.csv") == [
        {name: row["step"] if name == "step" else str(row.get(name, "")) for name in names} for row in expected
    ]
    with (folder / "metrics.csv").open(newline="") as opened:
        assert next(csv.reader(opened))[0] == "step"
