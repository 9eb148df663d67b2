"""The tables: on the terminal, as Markdown, LaTeX and CSV."""

import csv
import io
import re
from dataclasses import replace

import pytest
from fabricated_runs import group_runs, records, run
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from convexp.reporting.compare import Comparison, compare
from convexp.reporting.formatting import format_p
from convexp.reporting.groups import Group
from convexp.reporting.render import csv_tables
from convexp.reporting.render.latex import escape as escape_latex
from convexp.reporting.render.latex import latex
from convexp.reporting.render.markdown import escape, markdown_table
from convexp.reporting.render.rows import caption, comparison_rows, group_rows
from convexp.reporting.render.terminal import rich_table
from convexp.reporting.verdicts import verdicts


def made(seed, **metrics):
    return records([{**run(seed), "metrics": metrics}])[0]


GROUPS = [
    Group(
        "conv readout=global_avg shift.train=0.2",
        {"data.shift.train": 0.2},
        [made(0, **{"test/acc": 0.98, "probe/x/all": 1.0}), made(1, **{"test/acc": 0.99})],
    ),
    Group("local", {}, [made(0, **{"test/acc": 0.97, "probe/shift_map/mean": 0.5, "seconds_per_epoch": 2.0})]),
]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_no_word_and_no_number_is_broken(width):
    stream = io.StringIO()
    made = rich_table(group_rows(GROUPS), title="title", caption="note", width=width)
    Console(file=stream, width=width, soft_wrap=True).print(made)
    words = stream.getvalue().split()
    for word in ("readout=global_avg", "shift.train=0.2", "1,234,567", "98.5", "(47.1–100.0)", "local"):
        assert word in words
    assert ("98.5 (47.1–100.0)" in stream.getvalue()) == (width > 90)  # below each other where there is no room


def test_columns_are_those_that_a_group_has_and_what_is_missing_is_a_dash():
    header, conv, local = group_rows(GROUPS)
    assert header == ["wiring", "parameters", "n", "test", "shift mean"]
    assert (conv[-1], local[-2:]) == ("—", ["97.0", "50.0"])
    assert "consistency" not in caption(GROUPS)


def test_a_metric_of_some_runs_says_of_how_many():
    some = Group("conv", {}, [made(0, **{"test/acc": 0.9}), made(1)])
    assert group_rows([some])[1][-1] == "90.0 (n = 1)"


def test_runs_that_only_count_have_their_costs_in_the_table():
    costs = Group("conv", {}, [made(0, **{"cost/flops": 2_000_000.0, "cost/training_bytes": 4096.0, "cost/parameters": 7.0})])
    assert group_rows([costs]) == [
        ["wiring", "parameters", "n", "FLOPs", "bytes to train"],
        ["conv", "1,234,567", "1", "2,000,000", "4,096"],
    ]


def test_comparisons_as_rows_and_in_words():
    found = compare(group_runs([run(s) for s in range(3)] + [run(s, "local") for s in range(3)]))
    table = comparison_rows(found)
    assert len(table) == 1 + len(found)
    assert table[1][:5] == ["test", "local", "conv", "3", "−4.0"]  # one after the other: 0.93 and 0.97
    assert str(verdicts(found)[0]) == "test accuracy: no difference shown to conv (local −4.0 points)"


def comparison(label, verdict):
    return Comparison("test/acc", label, "conv", 5, 0.1, 0.05, 0.15, 0.001, 0.01, "bootstrap-t", verdict)


def test_verdicts_name_what_differs_and_count_the_rest():
    found = [comparison("a", "higher"), comparison("b", "lower"), comparison("c", "no difference shown")]
    said = (
        "a is higher than conv (+10.0 points); b is lower than conv (+10.0 points); no difference shown in 1 of 3 comparisons"
    )
    assert [(v.direction, v.text) for v in verdicts(found)] == [("mixed", said)]
    (many,) = verdicts([comparison(str(i), "higher") for i in range(30)])
    assert many.text.endswith("; and so on, 30 differences in all")


def test_p_in_three_digits():
    assert [format_p(p) for p in (None, 0.0004, 0.0123, 1.0)] == ["—", "< 0.001", "0.012", "1.000"]


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_metric_is_in_the_csv_in_full_precision():
    conv, local = read(csv_tables.groups_csv(GROUPS))
    assert (conv["n"], local["n"]) == ("2", "1")
    assert float(conv["test/acc mean"]) == pytest.approx(0.985, abs=1e-15)
    assert float(conv["test/acc ci95 low"]) == pytest.approx(
        0.4712, abs=1e-4
    )  # Student's t, one degree of freedom, of log odds
    assert 0.9995 < float(conv["test/acc ci95 high"]) < 1
    assert (conv["probe/x/all mean"], local["probe/x/all mean"]) == ("1.0", "")
    assert local["seconds_per_epoch mean"] == "2.0"
    assert (conv["data.shift.train"], local["data.shift.train"]) == ("0.2", "")


def test_runs_csv_has_a_row_for_every_run():
    first, second = read(csv_tables.runs_csv(records([run(0), {**run(1, "local"), "state": "failed"}])))
    assert (first["path"], first["model"], first["test/acc"], first["seed"]) == ("conv-seed0", "conv", "0.97", "0")
    assert second["state"] == "failed"


def test_comparisons_csv():
    found = compare(group_runs([run(s) for s in range(3)] + [run(s, "local") for s in range(3)]))
    assert [row["metric"] for row in read(csv_tables.comparisons_csv(found))] == [c.metric for c in found]
    assert csv_tables.comparisons_csv([]).startswith("metric,label,baseline,n,difference")


BLANKS = ["", " ", "\t", "\r", "\n", "\t ", "\N{NO-BREAK SPACE}", "\N{IDEOGRAPHIC SPACE}\t"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x"])
@pytest.mark.parametrize("blank", BLANKS)
def test_a_text_is_no_formula_of_a_spreadsheet(text, blank):
    """Also not after blanks, which spreadsheets skip: in no cell, header or row of any of the files."""
    nasty = blank + text
    made = [{**run(s), "path": nasty, "metrics": {nasty: 0.5, "test/acc": 0.5}} for s in range(2)]
    made[0]["config"]["model"]["name"] = nasty
    made = records(made)
    compared = [replace(comparison(nasty, "higher"), baseline=nasty, metric=nasty)]
    files = [
        csv_tables.groups_csv([Group(nasty, {nasty: nasty}, made)]),
        csv_tables.runs_csv(made),
        csv_tables.comparisons_csv(compared),
    ]
    for file in files:
        cells = [cell for row in csv.reader(io.StringIO(file)) for cell in row]
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
        assert any(cell.startswith("'") and cell.endswith(text) for cell in cells)


def test_markdown_escapes_its_cells():
    text = markdown_table([["wiring"], ["a|b <script> `c` *d* [e](f) _target_ global_avg"]])
    assert text.splitlines()[2] == r"| a\|b &lt;script&gt; \`c\` \*d\* \[e\](f) \_target\_ global_avg |"


@given(st.text())
def test_nothing_escapes_from_markdown(text):
    assert not re.search(r"(?<!\\)(\\\\)*[|`*\[\]]", escape(text))
    assert not re.search(r"[<>]", escape(text))


@given(st.text())
def test_nothing_escapes_from_latex(text):
    left = re.sub(r"\\text[a-z]+\{\}|\{\\char34\}|\\[{}$&#%_]|\{[\[\]]\}|\$\\pm\$|\$-\$", "", escape_latex(text))
    assert not re.search(r"[\\{}$&#%_^~<>|\"\[\]]", left)


def test_latex_is_a_table_of_booktabs():
    text = latex(group_rows(GROUPS), "What do 50 % buy?\nsecond line")
    assert text.startswith("% What do 50 % buy?\n% second line\n\\begin{tabular}{lrrrr}\n\\toprule\n")
    assert r"conv readout=global\_avg shift.train=0.2 & 1,234,567 & 2 & 98.5 (47.1--100.0) & --- \\" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}\n")
    assert len({line.count(" & ") for line in text.splitlines() if line.endswith(r"\\")}) == 1
