"""The charts: laws of what they show, and files that are what they say."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import msgspec
import numpy as np
import pytest
from fabricated_report import NOTHING, comparison, group, run, three_layers, train_sizes, write_run_files
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from convexp.pictures.palette import WIRINGS
from convexp.records.record import ProbeRecord
from convexp.reporting.axes import axis_label, axis_value, numeric_axes
from convexp.reporting.charts import draw_charts, write_charts
from convexp.reporting.charts.chart import finish_chart
from convexp.reporting.charts.legend import entries_for
from convexp.reporting.charts.overview import write_overview
from convexp.reporting.charts.pareto import pareto_front
from convexp.reporting.charts.series_style import series_styles
from convexp.reporting.charts.style import INK, chart_style
from convexp.reporting.charts.sweep_styles import line_styles
from convexp.reporting.charts.ticks import round_ticks
from convexp.reporting.charts.training import training_charts
from convexp.reporting.curves import mean_curve, mean_map, radius_curve, training_curves
from convexp.reporting.findings import finding, split_common_words
from convexp.reporting.formatting import format_compact, format_difference, format_mean, format_number
from convexp.reporting.groups import Group
from convexp.reporting.lines import sweep_lines
from convexp.reporting.metrics import is_percentage, is_proportion
from convexp.reporting.report import Report
from convexp.reporting.selection import evenly_spaced

numbers = st.floats(-1e3, 1e3)
points = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=12)


def dominates(a, b):
    return a[0] <= b[0] and a[1] >= b[1] and a != b


@given(points)
def test_front_holds_what_nothing_dominates(found):
    kept = pareto_front(found)
    assert sorted(kept) == [i for i, p in enumerate(found) if not any(dominates(q, p) for q in found)]
    costs = [found[i][0] for i in kept]
    assert costs == sorted(costs)


@pytest.mark.parametrize("parameters", [0, 10**30])
def test_numbers_of_parameters_that_no_network_has_are_no_traceback(tmp_path, parameters):
    report = three_layers(tmp_path)
    for each in report.groups[0].runs:
        assert each.network is not None
        each.network = msgspec.structs.replace(each.network, parameters=parameters)
    assert write_overview(report, tmp_path / "overview.png") == [tmp_path / "overview.png"]
    assert draw_charts(report)


def test_curves_whose_squares_cannot_be_added_up_are_left_out(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,train/loss\n0,1e200\n1,2\n1e200,3\n")
    assert training_curves(tmp_path, ["train/loss"]) == {"train/loss": {2.0: 2.0}}


def test_means_by_epoch_are_over_all_seeds(tmp_path):
    report = three_layers(tmp_path)
    report.groups[:] = [group("conv", seeds=13, accuracy=0.5)]
    write_run_files(report)
    charts = training_charts(report.groups, series_styles(report.groups), tmp_path)
    assert all("of each configuration the first 10" in chart.caption for chart in charts)
    assert all("n\u00a0=\u00a013" in chart.inline() for chart in charts)


curves = st.lists(st.dictionaries(st.integers(0, 8).map(float), numbers, min_size=1), min_size=1, max_size=4)


@given(curves)
def test_mean_curve_is_the_mean_where_all_curves_are(found):
    mean = mean_curve(found)
    assert [x for x, _ in mean] == sorted(set.intersection(*(set(curve) for curve in found)))
    for x, value in mean:
        assert value.n == len(found)
        assert value.mean == pytest.approx(np.mean([curve[x] for curve in found]), abs=1e-9)
    assert [x for x, _ in mean_curve(found[::-1])] == [x for x, _ in mean]


def test_no_curves_have_no_mean():
    assert mean_curve([]) == []


@given(st.integers(0, 500), st.integers(2, 40))
def test_spaced_keeps_first_and_last_and_no_more_than_asked(count, most):
    kept = evenly_spaced(count, most)
    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    assert kept[:1] == [0][:count]
    assert kept[-1:] == [count - 1][:count]


@given(st.floats(1e-6, 1e9), st.floats(1, 1e9))
def test_ticks_are_few_and_lie_on_the_axis(low, ratio):
    ticks = round_ticks(low, low * ratio)
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(ticks)
    assert all(low * 0.94 <= tick <= low * ratio * 1.06 for tick in ticks)


@given(st.floats(1e-3, 9e14))
def test_compact_numbers_are_right_to_three_digits(value):
    text = format_compact(value)
    factor = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1])
    back = float(text[:-1]) * factor if factor else float(text)
    assert back == pytest.approx(value, rel=0.006)
    assert len(text) <= 8


def test_shift_maps_and_curves_are_means_over_seeds():
    made = Group("conv", {}, [run("conv", 0, accuracy=0.8), run("conv", 1, accuracy=0.6)])
    assert [m.mean for _, m in radius_curve(made)] == pytest.approx([0.7, 0.49, 0.28])
    found = mean_map(made)
    assert found is not None
    assert found[2][2] == pytest.approx(0.7)
    assert found[0][4] == pytest.approx(0.28)
    assert mean_map(Group("x", {}, [msgspec.structs.replace(run("conv", 0), probes={})])) is None
    assert radius_curve(Group("x", {}, [msgspec.structs.replace(run("conv", 0), probes={})])) == []


def with_map(accuracy):
    return Group(
        "x", {}, [msgspec.structs.replace(run("conv", 0), probes={"shift_map": ProbeRecord(maps={"accuracy": accuracy})})]
    )


def test_sequences_have_maps_of_one_row_and_volumes_none():
    assert mean_map(with_map([0.1, 0.9, 0.1])) == [[0.1, 0.9, 0.1]]
    assert mean_map(with_map([[[0.1]], [[0.2]]])) is None
    assert mean_map(with_map([[0.1, 0.2], [0.3]])) is None


def test_training_curves_come_from_whatever_rows_can_be_read(tmp_path):
    assert training_curves(tmp_path, ["val/acc"])["val/acc"] == {}
    (tmp_path / "metrics.csv").write_text("step,val/acc,epoch\n1,0.5,0\n2,,1\n3,nan,2\n4,0.7,3\n5,0.8,3\n6,0.")
    assert training_curves(tmp_path, ["val/acc"])["val/acc"] == {1.0: 0.5, 4.0: 0.8}
    assert training_curves(tmp_path, ["train/loss"])["train/loss"] == {}
    (tmp_path / "metrics.csv").write_bytes(b"\xff\xfe\x00")
    assert training_curves(tmp_path, ["val/acc"])["val/acc"] == {}


def ranks():
    low = [
        Group(f"low wiring.rank={r}", {"model": "low", "model.wiring.rank": r}, [run("low", 0, accuracy=0.5 + r / 100)])
        for r in (8, 1, 2)
    ]
    return [*low, Group("conv", {"model": "conv", "model.wiring.rank": None}, [run("conv", 0)])]


def test_lines_ascend_and_groups_without_a_value_are_level():
    groups = ranks()
    assert numeric_axes(groups) == ["model.wiring.rank"]
    found = sweep_lines(groups, "model.wiring.rank")
    assert [(line.name, line.indices, line.constant) for line in found] == [("low", [1, 2, 0], False), ("conv", [3], True)]


def test_all_training_images_are_as_many_as_there_are():
    whole = Group("dense train_size=null", {"model": "dense", "data.train_size": None}, [run("dense", 0)])
    groups = [group("dense", size=100), whole]
    assert axis_value(whole, "data.train_size") == 1257
    assert numeric_axes(groups) == ["data.train_size"]
    assert [line.indices for line in sweep_lines(groups, "data.train_size")] == [[0, 1]]


def test_shares_of_the_training_images_are_as_many_as_they_are():
    points = ((0.5, 628), (200, 200), (None, 1257), (0.1, 125))
    groups = [Group(f"{value}", {"data.train_size": value}, [run("conv", 0, size=images)]) for value, images in points]
    assert [axis_value(made, "data.train_size") for made in groups] == [628, 200, 1257, 125]
    (line,) = sweep_lines(groups, "data.train_size")
    assert line.indices == [3, 1, 0, 2]


@pytest.mark.parametrize(
    ("setting", "values", "numeric"),
    [
        ("data.shift.train", (0.25, 3, 1), False),
        ("data.shift.train", (0, 0.25, 0.5), True),
        ("data.shift.train", (0.0, 3, 1), True),
        ("trainer.limit_train_batches", (0.5, 10), False),
        ("optimizer.lr", (1, 0.1), True),
    ],
)
def test_shares_beside_pixels_have_no_order(setting, values, numeric):
    groups = [Group(str(v), {setting: v}, [run("conv", 0)]) for v in values]
    assert numeric_axes(groups) == ([setting] if numeric else [])


@pytest.mark.parametrize("values", [(True, False), ([5, 3], [3, 3]), ("none", "max"), (1, "params:5"), (3, 3)])
def test_what_is_no_axis_of_numbers(values):
    assert numeric_axes([Group(str(v), {"x": v}, [run("conv", 0)]) for v in values]) == []


def test_names_are_parts_of_the_label():
    made = Group(
        "conv readout=flatten stride=1 pool=none", {"model.readout": "flatten", "model.stride, model.pool": [1, "none"]}, []
    )
    assert axis_label(made, ["model.readout"]) == "readout=flatten"
    assert axis_label(made, ["model.stride, model.pool"]) == "stride=1 pool=none"
    grid = group("dense", size=30)
    assert axis_label(grid, ["model"]) == "dense"
    assert axis_label(grid, ["data.train_size"]) == "train_size=30"


def test_one_colour_per_kind_and_one_look_per_group():
    groups = train_sizes().groups
    seen = series_styles(groups)
    assert len({(style.colour, style.marker, style.hollow, style.line) for style in seen}) == len(groups)
    for a, b in zip(groups, seen, strict=True):
        assert b.category == a.point["model"]
    assert len({(style.category, style.colour) for style in seen}) == 3
    assert [e.label for e in entries_for(groups, seen)] == [
        *("dense", "local", "conv"),
        *("train_size=100", "train_size=300", "train_size=1000"),
    ]


def test_numbers_of_one_kind_go_from_bright_to_dark():
    seen = series_styles([group("conv", size=size) for size in (10, 20, 30)])
    brightness = [sum(bytes.fromhex(style.colour[1:])) for style in seen]
    assert brightness == sorted(brightness, reverse=True)
    assert len(set(brightness)) == 3


def test_networks_that_are_no_wirings_have_a_colour_each():
    groups = [
        Group(f"{m} match={x}", {"match": x, "model": m}, [run(m, 0)]) for x in ("units", "params", "flops") for m in "abcd"
    ]
    seen = series_styles(groups)
    assert len({(style.category, style.colour) for style in seen}) == len({style.colour for style in seen}) == 4
    assert len({(style.colour, style.line, style.marker, style.hollow) for style in seen}) == 12


def test_lines_of_one_colour_have_a_dash_each():
    """Whatever the number of values along the line: the styles of groups count those, too."""
    sizes, kernels = range(10, 18), (1, 3, 5)
    groups = [
        Group(f"{m} {k} {n}", {"model": m, "model.kernel_size": k, "data.train_size": n}, [run(m, 0)])
        for m in ("local", "conv")
        for k in kernels
        for n in sizes
    ]
    drawn = line_styles(series_styles(groups), sweep_lines(groups, "data.train_size"))
    assert [style.line for style in drawn] == ["-", "--", ":"] * 2
    assert len({(style.colour, style.marker, style.hollow) for style in drawn}) == 6
    assert {style.colour for style in drawn} == {WIRINGS["local"].light, WIRINGS["conv"].light}


def test_words():
    assert is_percentage("test/acc")
    assert not is_percentage("probe/shift_map/n")
    assert not is_percentage("probe/sensitivity_map/control")  # about 1, and no share
    assert [is_proportion(f"probe/shift_map/{name}") for name in ("mean", "drop")] == [True, False]
    assert [format_number(793098), format_number(0.12345), format_number(float("nan"))] == ["793,098", "0.1235", "—"]
    assert format_difference(-0.0123, "test/acc") == "−1.2"
    assert format_mean(group("conv", accuracy=0.5).metric("test/acc"), "test/acc") == "50.5 (49.3–51.7)"
    assert split_common_words("conv train_size=10", "dense train_size=10") == ("conv", "dense", "train_size=10")
    assert split_common_words("conv", "conv readout=flatten") == ("conv", "conv readout=flatten", "")
    said = finding(comparison("conv s=1", "dense s=1", -0.04)).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "conv against dense, s=1: lower (−4.0 points, 95 % interval −6.0 to −2.0, n = 3)"


def names(report):
    return [chart.name for chart in draw_charts(report)]


def test_a_chart_for_all_there_is(tmp_path):
    report = train_sizes(tmp_path)
    write_run_files(report)
    assert names(report) == [
        "every_seed",
        "differences",
        "parameters_test_acc",
        "parameters_shift_map_mean",
        "train_size_test_acc",
        "train_size_shift_map_mean",
        "radius",
        "shift_maps",
        "training_val_acc",
        "training_train_loss",
    ]


def test_no_chart_without_data(tmp_path):
    bare = msgspec.structs.replace(run("conv", 0), metrics={}, probes={})
    report = Report("?", tmp_path, None, [Group("conv", {"model": "conv"}, [bare])], [], [], NOTHING, [])
    assert draw_charts(report) == []
    assert write_charts(report, tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    assert draw_charts(replace(report, groups=[])) == []


def test_runs_that_only_count_have_their_costs_drawn(tmp_path):
    def counted(size):
        made = msgspec.structs.replace(
            run("conv", 0), metrics={"cost/flops": 10.0 * size, "cost/training_bytes": 4.0 * size**2}, probes={}
        )
        return Group(f"conv canvas={size}", {"data.canvas": size}, [made])

    report = Report("?", tmp_path, None, [counted(s) for s in (8, 64, 512)], [], [], NOTHING, [])
    charts = draw_charts(report)
    assert [chart.name for chart in charts] == ["every_seed", "canvas_cost_flops", "canvas_cost_training_bytes"]
    for chart in charts:
        axes = chart.figure.axes[0]
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_the_same_report_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        report = train_sizes(tmp_path / "runs")
        write_run_files(report)
        write_charts(report, tmp_path / folder)
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / d / "figures").iterdir()} for d in ("one", "two"))
    assert one == two
    assert len(one) == 2 * 10 + 1


def test_files_are_pictures_on_white(tmp_path):
    files = write_charts(three_layers(tmp_path), tmp_path)
    assert {f.name for f in files} == {f.name for f in (tmp_path / "figures").iterdir()}
    for file in files:
        if file.suffix == ".svg":
            assert ET.parse(file).getroot().tag.endswith("svg")
            assert "#ffffff" in file.read_text()
        else:
            with Image.open(file) as picture:
                assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
                assert picture.width >= 700
    assert "overview.png" in {f.name for f in files}


def test_inline_ids_are_unique_and_the_ink_is_the_pages():
    charts = draw_charts(three_layers())
    parts = [chart.inline() for chart in charts]
    ids = [e.get("id") for part in parts for e in ET.fromstring(declared(part)).iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert all(INK not in part and "currentColor" in part for part in parts)
    for part in parts:  # every reference has its target
        own = {e.get("id") for e in ET.fromstring(declared(part)).iter()}
        used = {word.split('"')[0] for word in part.split('href="#')[1:]} | {w.split(")")[0] for w in part.split("url(#")[1:]}
        assert used <= own
        assert used


def declared(part):
    return part.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)


@pytest.mark.parametrize("label", ["$x^{", "_hidden", "a & <b> \"c\" 'd'", "\N{CJK UNIFIED IDEOGRAPH-6A21}", "x" * 300, INK])
def test_any_label_can_be_drawn(label, tmp_path):
    groups = [group("conv", label=label), group("dense")]
    report = replace(three_layers(tmp_path), groups=groups, comparisons=[comparison(label, "dense", 0.1)])
    charts = draw_charts(report)
    assert len(charts) == 6
    for chart in charts:
        assert label[:8] in "".join(ET.fromstring(declared(chart.inline())).itertext())
    with chart_style():
        assert charts[0].save(tmp_path)[1].stat().st_size > 1000


def test_names_of_settings_make_no_file_elsewhere(tmp_path):
    axis = 'data.../../"><script>'
    groups = [Group(f"conv x={v}", {axis: v}, [run("conv", 0)]) for v in (1, 2)]
    files = write_charts(Report("?", tmp_path / "in", None, groups, [], [], NOTHING, []), tmp_path / "in")
    assert {f.parent for f in files} == {tmp_path / "in" / "figures"}
    assert all(f.stem.replace("_", "").isalnum() for f in files)


def test_charts_of_settings_spelt_alike_are_two(tmp_path):
    groups = [Group(f"c{i}", {"data.a.b": i % 2, "data.a_b": i // 2}, [run("conv", 0)]) for i in range(4)]
    found = names(Report("?", tmp_path, None, groups, [], [], NOTHING, []))
    assert len(found) == len(set(found))
    assert "a_b_test_acc_2" in found


def test_what_is_left_out_is_said():
    groups = [group("conv", 1, size=s, accuracy=0.5 + s / 1e4) for s in range(100, 140)]
    report = replace(three_layers(), groups=groups, comparisons=[comparison(g.label, "x", 0.1) for g in groups])
    captions = {chart.name: chart.caption for chart in draw_charts(report)}
    assert "Drawn: 12 of 40 configurations" in captions["radius"]
    assert "Drawn: 24 of 40 configurations" in captions["shift_maps"]
    assert "the first 24 of 40" in captions["differences"]
    assert "Drawn" not in captions["train_size_test_acc"]


def test_equal_images_in_a_chart_have_no_id_in_common():
    figure = Figure()
    for axes in figure.subplots(1, 2):
        axes.imshow(np.eye(3))
    html = finish_chart("equal", "tests", "", "", "", figure).inline()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert html.count("<image") == 2
    assert len(ids) == len(set(ids))


def test_the_users_own_settings_stay_as_they_are():
    with mpl.rc_context({"axes.facecolor": "pink", "font.size": 33}):
        before = dict(mpl.rcParams)
        changed = [c.svg for c in draw_charts(three_layers())]
        assert dict(mpl.rcParams) == before
    assert changed == [c.svg for c in draw_charts(three_layers())]


@pytest.mark.e2e
def test_neither_torch_nor_pyplot_is_imported():
    program = "import sys, convexp.reporting.render.html; print({'torch', 'matplotlib.pyplot', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
