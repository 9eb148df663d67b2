"""The means that TensorBoard shows are those of the report, and lie where no run is."""

import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import fabricated_report as made
import msgspec
import pytest
from fabricated_runs import kept, run
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2, metadata

from convexp.board import update as update_module
from convexp.board.folders import HOME, folder_names
from convexp.board.front import summary_text
from convexp.board.lines import lines
from convexp.board.series import EPOCHS, SHIFTS, places
from convexp.board.update import FRONT, bands, update_dashboard
from convexp.records.index import collect, run_folders
from convexp.reporting.curves import radius_curve
from convexp.reporting.report import build_report
from convexp.reporting.statistics import Mean, mean, mean_proportion
from convexp.tracking.event_files import editions

FLOAT = 1e-6  # a scalar of TensorBoard has 32 bits


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    found.Reload()
    return found


def written(root: Path) -> dict[str, dict[str, dict[int, float]]]:
    """All scalars below the folder of the means: by run, tag and step."""
    home = root / HOME
    return {
        str(file.parent.relative_to(home)): {
            tag: {event.step: event.value for event in found.Scalars(tag)} for tag in found.Tags()["scalars"]
        }
        for file in home.rglob("*tfevents*")
        if (found := events(file.parent))
    }


def ends(value: Mean) -> tuple[float, float, float]:
    """Mean, lower and upper end; for one seed, which has no interval, the value."""
    return (
        value.mean,
        value.mean if value.low is None else value.low,
        value.mean if value.high is None else value.high,
    )


def bands_of(tags: dict[str, dict[int, float]], chart: str) -> dict[int, tuple[float, float, float]]:
    parts = [tags[f"{chart}/{end}"] for end in ("mean", "lower", "upper")]
    assert parts[0].keys() == parts[1].keys() == parts[2].keys(), "TensorBoard draws no band whose steps differ"
    return {step: tuple(part[step] for part in parts) for step in parts[0]}


def test_values_are_the_means_and_intervals_of_the_report(tmp_path):
    """By distance, by epoch, along the axis and by parameters."""
    report = made.train_sizes(tmp_path)
    made.write_run_files(report)
    update_dashboard(report, tmp_path)
    found = written(tmp_path)
    for group in report.groups:
        tags = found[group.runs[0].path.removesuffix("-seed0")]
        assert bands_of(tags, SHIFTS) == {int(x): pytest.approx(ends(value), rel=FLOAT) for x, value in radius_curve(group)}
        for metric, average in (("val/acc", mean_proportion), ("train/loss", mean)):
            values = defaultdict(list)
            for each in group.runs:
                head, *rows = ((tmp_path / each.path / "metrics.csv").read_text()).splitlines()
                for row in (dict(zip(head.split(","), line.split(","), strict=True)) for line in rows):
                    values[int(row["epoch"]) + 1].append(float(row[metric]))
            expected = {step: pytest.approx(ends(average(seeds)), rel=FLOAT) for step, seeds in values.items()}
            assert bands_of(tags, EPOCHS[metric]) == expected
    for model in made.PARAMETERS:
        tags = found[f"along train_size/{model}"]
        for chart, metric in (("accuracy", "test/acc"), ("accuracy under shifts", "probe/shift_map/mean")):
            assert bands_of(tags, f"{chart} by train_size") == {
                group.point["data.train_size"]: pytest.approx(ends(group.metric(metric)), rel=FLOAT)
                for group in report.groups
                if group.point["model"] == model
            }


def test_a_study_of_wirings_has_one_line_along_their_parameters(tmp_path):
    report = made.three_layers(tmp_path)
    update_dashboard(report, tmp_path)
    line = bands_of(written(tmp_path)["along parameters/all"], "accuracy by parameters")
    assert line == {group.parameters: pytest.approx(ends(group.metric("test/acc")), rel=FLOAT) for group in report.groups}


def test_every_chart_of_the_layout_has_data_and_all_data_has_a_chart(tmp_path):
    update_dashboard(made.train_sizes(tmp_path), tmp_path)
    stored = events(tmp_path).Tensors(metadata.CONFIG_SUMMARY_TAG)[-1]
    layout = layout_pb2.Layout.FromString(stored.tensor_proto.string_val[0])
    series = [chart.margin.series[0] for category in layout.category for chart in category.chart]
    tags = {tag for one in series for tag in (one.value, one.lower, one.upper)}
    assert tags == {tag for run_tags in written(tmp_path).values() for tag in run_tags}
    assert not any(set("()") & set(tag) for tag in tags), "TensorBoard takes a parenthesis for the name of the run"


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 10**7), min_size=1, max_size=8))
def test_steps_keep_the_order_of_the_values_and_are_the_values_where_these_are_whole(values):
    step, said = places(values)
    known = sorted(set(values))
    steps = [step[value] for value in known]
    assert steps == sorted(set(steps))
    assert all(isinstance(number, int) and number >= 0 for number in steps)
    assert (said == "") == (steps == known)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8, unique=True))
def test_every_label_has_a_folder_of_its_own_within_the_home(labels):
    names = folder_names(labels)
    assert len({name.casefold() for name in names}) == len(labels)
    for name in names:
        parts = name.split("/")
        assert len(parts) <= 2
        assert all(part and part not in (".", "..") and len(part) < 120 for part in parts)
        assert not set("()\0\n\\") & set(name)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_mean_lies_within_its_band(values):
    (_, found), *_ = bands([(3, mean_proportion(values))])
    assert found["lower"] <= found["mean"] <= found["upper"]
    if len(set(values)) == 1:
        assert found["lower"] == found["upper"]


def test_the_same_report_gives_the_same_bytes_and_writes_nothing_twice(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for root in (first, second):
        root.mkdir()
        made.write_run_files(made.three_layers(root))
        assert update_dashboard(made.three_layers(root), root) == 5  # three wirings, a line, the front page
        assert update_dashboard(made.three_layers(root), root) == 0
    files = [sorted(file for file in root.rglob("*tfevents*")) for root in (first, second)]
    assert [file.relative_to(first) for file in files[0]] == [file.relative_to(second) for file in files[1]]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]


def test_a_refresh_replaces_what_was_there(tmp_path):
    """One file with content a folder however often it is refreshed, and no folder of what is no longer in the study."""
    for accuracy in (0.5, 0.6, 0.7):
        report = made.three_layers(tmp_path)
        report.groups[2] = made.group("conv", accuracy=accuracy)
        update_dashboard(report, tmp_path)
    conv = tmp_path / HOME / "conv-None"
    assert sorted(file.name for file in conv.iterdir() if file.stat().st_size) == ["events.out.tfevents.0000000003.means"]
    assert len(list(conv.iterdir())) == 2, "the last edition is kept, but empty"
    assert written(tmp_path)["conv-None"][f"{SHIFTS}/mean"][0] == pytest.approx(0.705, abs=1e-6)
    report.groups.pop()
    update_dashboard(report, tmp_path)
    assert not conv.exists()
    assert set(written(tmp_path)) == {"dense-None", "local-None", "along parameters/all"}


def test_a_reader_finds_no_half_of_a_file(tmp_path, monkeypatch):
    """A refresh that is interrupted while it writes leaves every file as it was."""
    update_dashboard(made.three_layers(tmp_path), tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*tfevents*")}

    def full(self, data):
        with self.open("wb") as opened:
            opened.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    report = made.three_layers(tmp_path)
    report.groups[0] = made.group("dense", accuracy=0.4)
    with pytest.raises(OSError, match="No space"):
        update_dashboard(report, tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*tfevents*")} == before


class TestPlace:
    """The folder of the means is no run, and a folder of the user's is left alone."""

    def test_is_not_taken_for_a_run(self, tmp_path):
        kept(tmp_path, *(run(seed, model) for model in ("dense", "conv") for seed in range(3)))
        before = [record.path for record in collect(tmp_path)]
        update_dashboard(build_report(tmp_path), tmp_path)
        assert (tmp_path / HOME).is_dir()
        assert [record.path for record in collect(tmp_path)] == before
        assert [str(folder.relative_to(tmp_path)) for folder in run_folders(tmp_path)] == before
        assert build_report(tmp_path).unfinished == []

    def test_a_folder_of_this_name_that_is_not_ours_is_left_alone(self, tmp_path):
        kept(tmp_path, *(run(seed, model) for model in ("dense", "conv") for seed in range(2)))
        kept(tmp_path / HOME, run(7, "local"))
        before = sorted((tmp_path / HOME).rglob("*"))
        with pytest.raises(OSError, match="not made by convexp"):
            update_dashboard(build_report(tmp_path), tmp_path)
        assert sorted((tmp_path / HOME).rglob("*")) == before
        assert len(collect(tmp_path)) == 5

    def test_a_link_of_this_name_is_not_followed(self, tmp_path):
        study, other = tmp_path / "study", tmp_path / "other"
        other.mkdir()
        kept(study, run(0), run(1))
        (study / HOME).symlink_to(other)
        with pytest.raises(OSError, match="not made by convexp"):
            update_dashboard(build_report(study), study)
        assert list(other.iterdir()) == []

    def test_links_within_it_are_not_followed(self, tmp_path):
        study, other = tmp_path / "study", tmp_path / "other"
        other.mkdir()
        kept(study, run(0), run(1))
        update_dashboard(build_report(study), study)
        (folder,) = [entry for entry in (study / HOME).iterdir() if entry.is_dir()]
        shutil.rmtree(folder)
        folder.symlink_to(other)
        with pytest.raises(OSError, match="is a link"):
            update_dashboard(build_report(study), study)
        assert list(other.iterdir()) == []

    def test_a_run_gets_nothing_into_its_own_folder(self, tmp_path):
        kept(tmp_path, run(0))
        folder = tmp_path / run(0)["path"]
        before = sorted(folder.iterdir())
        assert update_dashboard(build_report(folder), folder) == 0
        assert sorted(folder.iterdir()) == before


def test_labels_and_titles_of_a_stranger_are_text(tmp_path):
    report = made.three_layers(tmp_path)
    report.groups[0] = made.group("dense", label="../../<script>alert(1)</script>|\n`x`")
    for each in report.groups[0].runs:
        each.path = each.path.replace("-seed", "_of_")  # no common name: the label names the folder
    update_dashboard(report, tmp_path)
    assert all(file.is_relative_to(tmp_path / HOME) for file in tmp_path.rglob("*.means"))
    text = events(tmp_path).Tensors("summary")[-1].tensor_proto.string_val[0].decode()
    assert "<script>" not in text
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == 5  # header, rule, three rows


def test_front_page_has_question_table_verdicts_and_the_charts(tmp_path):
    report = made.three_layers(tmp_path)
    made.write_run_files(report)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "parameters_test_acc.png").write_bytes(made.png())
    (tmp_path / "figures" / "broken.png").write_bytes(b"no picture")
    update_dashboard(report, tmp_path)
    board = events(tmp_path)
    text = board.Tensors("summary")[-1].tensor_proto.string_val[0].decode()
    assert text.startswith("# What do locality and weight sharing buy?")
    for word in ("793,098", "208,896", "96.5 (95.0–97.6)", "## Verdicts", "conv is lower than dense"):
        assert word in text, word
    assert set(board.Tags()["images"]) == {
        "charts/01 parameters test acc",
        *(f"kernels of the first stage/{name}" for name in ("dense", "local", "conv")),
    }


def test_numbers_of_a_stranger_are_no_traceback(tmp_path):
    """Parameters that are no step of TensorBoard, and curves whose squares cannot be added up."""
    report = made.three_layers(tmp_path)
    made.write_run_files(report)
    for each in report.groups[0].runs:
        assert each.network is not None
        each.network = msgspec.structs.replace(each.network, parameters=10**30)
    for number, each in enumerate(report.groups[1].runs, 1):
        (tmp_path / each.path / "metrics.csv").write_text(f"epoch,train/loss\n0,{number}e200\n1,{number}\n")
    update_dashboard(report, tmp_path)
    found = written(tmp_path)
    assert len(bands_of(found["along parameters/all"], "accuracy by parameters")) == 2
    assert list(bands_of(found["local-None"], EPOCHS["train/loss"])) == [2]


def test_names_of_charts_stay_short():
    values = [0.001 * number for number in range(1, 500)]
    said = places(values)[1]
    assert said.startswith(", 1 is 0.001, 2 is 0.002, ")
    assert said.endswith(", 9 is 0.009, ..., 499 is 0.499")


def test_a_search_has_no_lines_along_axes():
    groups = [made.group("conv", size=size, accuracy=0.5) for size in (1, 2, 3)]
    assert [series.name for series in lines(groups)] == ["along train_size/conv"]
    assert lines(groups, axes=False) == []


def test_equal_labels_have_folders_of_their_own():
    assert folder_names(["a", "b", "a"])[1] == "b"
    assert len(set(folder_names(["a", "b", "a"]))) == 3


def test_axes_with_one_short_name_have_lines_of_their_own():
    groups = [made.group("conv", size=1, accuracy=0.5) for _ in range(4)]
    for group, (a, b) in zip(groups, ((1, 1), (1, 2), (2, 1), (2, 2)), strict=True):
        group.point.clear()
        group.point.update({"model.size": a, "data.size": b})
    assert {series.name.split("/")[0] for series in lines(groups)} == {"along model.size", "along data.size"}


def test_front_page_has_the_verdicts_along_axes(tmp_path):
    report = made.train_sizes(tmp_path)
    step = made.comparison("conv train_size=300", "conv train_size=100", 0.1)
    report.along.append(replace(step, axis="data.train_size", line="conv", start=100.0, stop=300.0))
    assert "along train_size" in summary_text(report)


def test_a_large_study_stays_bounded(tmp_path):
    groups = [made.group("conv", seeds=1, size=size, accuracy=0.5) for size in range(1, 200)]
    report = made.three_layers(tmp_path)
    report.groups[:] = groups
    update_dashboard(report, tmp_path)
    assert len(list((tmp_path / HOME).iterdir())) <= 62
    assert len(lines(groups)) == 1


def test_only_one_process_writes_at_a_time(tmp_path, monkeypatch):
    held = []

    def locked(file, timeout):
        held.append(file.name)
        assert timeout > 0, "it would wait for ever"
        return original(file, timeout)

    original = update_module.locked
    monkeypatch.setattr(update_module, "locked", locked)
    update_dashboard(made.three_layers(tmp_path), tmp_path)
    assert held == [".dashboard.lock"]
    assert len(editions(tmp_path, FRONT)) == 1
