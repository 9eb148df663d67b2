"""The report's section on errors, from the records and pictures of runs."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import watch
from fabricated_report import png
from fabricated_runs import kept, run

from convexp.reporting.charts import draw_charts
from convexp.reporting.error_tables import MAX_GROUPS, error_tables
from convexp.reporting.render.html import write_page
from convexp.reporting.report import Report, build_report

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def maps(seed: int = 0, classes: int = 3, reach: int = 2, name: str = "cat") -> dict[str, Any]:
    """What the probe measured in a run, made up: 12 images of each class, of which one is wrong or two."""
    draw, side = np.random.default_rng(seed), 2 * reach + 1
    confusion = 10 * np.eye(classes, dtype=int) + np.roll(np.eye(classes, dtype=int), 1, 1) * 2
    right = draw.integers(0, 6, (classes, side, side))
    right[:, reach, reach] = 5
    changes = [5 * classes - 3, *[1] * (reach - 1), 4 - reach]
    changed = np.roll(np.eye(classes, dtype=int), 2, 1) * (sum(changes[:-1]))
    return {
        "classes": [f"{name} {i}" for i in range(classes)],
        "confusion": confusion.tolist(),
        "recall": [10 / 12] * classes,
        "mistakes": [{"image": 3, "label": 0, "answer": 1, "probability": 0.9}],
        "shifted": [6] * classes,
        "right_by_shift": right.tolist(),
        "first_change": changes,
        "changed_to": changed.tolist(),
    }


def measured(seed: int = 0, model: str = "conv", found: Any = None, **settings: Any) -> dict[str, Any]:
    made = run(seed, model, **settings)
    made["metrics"]["probe/errors/accuracy"] = 10 / 12
    made["probes"]["errors"] = {"numbers": {"accuracy": 10 / 12}, "maps": maps(seed) if found is None else found}
    return made


def report_of(root: Path, *runs: dict[str, Any]) -> Report:
    return build_report(kept(root, *runs))


@pytest.fixture
def opened(browser_page, tmp_path):
    def show(report: Report, width: int = 1280):
        write_page(report, tmp_path / "report.html")
        seen = watch(browser_page)
        browser_page.set_viewport_size({"width": width, "height": 900})
        browser_page.goto((tmp_path / "report.html").as_uri())
        return browser_page, seen

    return show


def test_tables_are_sums_over_the_seeds(tmp_path):
    report = report_of(tmp_path, *(measured(seed, model) for model in ("conv", "dense") for seed in range(3)))
    tables, notes = error_tables(report.groups, tmp_path)
    assert notes == []
    assert [table.group.label for table in tables] == [group.label for group in report.groups]
    for table in tables:
        assert table.runs == 3
        assert table.counts.confusion == (3 * np.array(maps()["confusion"])).tolist()
        assert table.counts.right_by_shift == sum(np.array(maps(seed)["right_by_shift"]) for seed in range(3)).tolist()
        assert table.recall() == pytest.approx([10 / 12] * 3)
        kept_share = table.kept()
        assert kept_share[0] == 1
        assert kept_share == sorted(kept_share, reverse=True)
        assert kept_share[-1] == pytest.approx(maps()["first_change"][-1] / sum(maps()["first_change"]))


def test_runs_without_the_probe_have_no_section(tmp_path, opened):
    report = report_of(tmp_path, run(0), run(1))
    assert error_tables(report.groups, tmp_path) == ([], [])
    assert not [chart for chart in draw_charts(report) if chart.section == "errors"]
    page, _ = opened(report)
    assert page.locator("#errors").count() == 0
    assert "Errors" not in page.inner_text("nav")


def test_the_section_in_a_browser(tmp_path, opened):
    named = maps(name=NASTY)
    report = report_of(tmp_path, *(measured(seed, model, named) for model in ("conv", "dense") for seed in range(2)))
    (tmp_path / report.groups[0].runs[0].path / "errors_mistakes.png").write_bytes(png())
    page, seen = opened(report)
    page.get_by_role("link", name="Errors").click()
    assert page.locator("#errors figure.chart svg").count() == 4
    titles = page.locator("#errors .chart h3").all_inner_texts()
    assert titles == [
        "What is taken for what",
        "Accuracy of each class",
        "Which shifts break which class",
        "What changes a right answer",
    ]
    pictures = page.locator("#errors .kernels figure")
    assert pictures.count() == 2
    assert page.locator("#errors .kernels img").evaluate("image => image.complete && image.naturalWidth") == 8
    assert "no picture in the run folder" in pictures.nth(1).inner_text()
    words = page.locator("#errors figure.chart > [aria-label]").evaluate_all(
        "all => all.map(each => each.getAttribute('aria-label'))"
    )
    assert "12 of 72 wrong" in words[0]
    assert "83.3 %" in words[1]
    assert "keeps" in words[3]
    assert page.locator("script").count() == 1
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert seen.errors == []


def changed(**parts: Any) -> dict[str, Any]:
    return {**maps(), **parts}


DAMAGED: dict[str, Any] = {
    "no maps": {},
    "a table is missing": {name: part for name, part in maps().items() if name != "confusion"},
    "not square": changed(confusion=[[1, 2], [3, 4]]),
    "ragged": changed(confusion=[[1], [2, 3], [4]]),
    "negative": changed(confusion=[[-1, 0, 0]] * 3),
    "huge": changed(confusion=[[10**30, 0, 0]] * 3),
    "fractions": changed(shifted=[0.5, 1, 2]),
    "texts": changed(first_change=["a", "b", "c"]),
    "null": changed(classes=None),
    "more right than shifted": changed(shifted=[1, 1, 1]),
    "an even map": changed(right_by_shift=[[[1, 1], [1, 1]]] * 3),
    "a map of nothing": changed(right_by_shift=[[], [], []]),
    "ragged maps": changed(right_by_shift=[[[1]], [[1, 1, 1]], [[1]]]),
    "mixed depths": changed(right_by_shift=[[[1]], [1], 1]),
    "a name without end": changed(classes=["x" * 10_000, "b", "c"]),
    "a list": changed(classes=[["a"], "b", "c"]),
    "deep": changed(right_by_shift=json.loads("[" * 50 + "1" + "]" * 50)),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_is_damaged_is_named_and_the_others_are_shown(tmp_path, damage):
    report = report_of(tmp_path, measured(0, found=DAMAGED[damage]), measured(1), measured(0, "dense", found=DAMAGED[damage]))
    tables, notes = error_tables(report.groups, tmp_path)
    assert [(table.group.label, table.runs) for table in tables] == [("conv", 1)]
    assert notes == ["conv-seed0 holds no whole tables of errors.", "dense-seed0 holds no whole tables of errors."]
    write_page(report, tmp_path / "report.html")
    assert "dense-seed0 holds no whole tables of errors." in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("large", [{"classes": 65}, {"reach": 32}])
def test_what_is_whole_but_too_large_is_not_called_damaged(tmp_path, large):
    report = report_of(tmp_path, measured(0, found=maps(**large)), measured(1, found=maps(**large)))
    tables, notes = error_tables(report.groups, tmp_path)
    assert tables == []
    assert [note.partition(": ")[2] for note in notes] == ["too many for a page."] * 2


def test_runs_that_are_not_counted_are_named(tmp_path):
    report = report_of(tmp_path, *(measured(seed) for seed in range(22)))
    tables, notes = error_tables(report.groups, tmp_path)
    assert [table.runs for table in tables] == [20]
    assert notes == ["conv: counted are the first 20 of 22 runs."]


def test_of_volumes_everything_but_the_maps_is_shown(tmp_path):
    report = report_of(tmp_path, measured(0, found=changed(right_by_shift=[[[[1]]]] * 3)), measured(1))
    tables, notes = error_tables(report.groups, tmp_path)
    assert [(table.runs, table.counts.right_by_shift) for table in tables] == [(1, [])]
    assert notes == ["conv: left out is 1 run with other classes or shifts."]
    assert len([chart for chart in draw_charts(report) if chart.section == "errors"]) == 3


def test_a_signals_maps_are_rows(tmp_path):
    found = changed(right_by_shift=[[1, 5, 2], [0, 5, 0], [6, 5, 6]])
    report = report_of(tmp_path, measured(0, found=found))
    tables, _ = error_tables(report.groups, tmp_path)
    assert tables[0].counts.right_by_shift == [[[1, 5, 2]], [[0, 5, 0]], [[6, 5, 6]]]
    assert len([chart for chart in draw_charts(report) if chart.section == "errors"]) == 4


def test_many_configurations_and_other_classes(tmp_path):
    rates = [measured(0, optimizer__lr=0.001 * (i + 1)) for i in range(MAX_GROUPS + 3)]
    for i, made in enumerate(rates):
        made["path"] = f"run{i}"
    rates[0]["probes"]["errors"]["maps"] = maps(classes=20)
    report = report_of(tmp_path, *rates)
    tables, notes = error_tables(report.groups, tmp_path)
    assert len(tables) == MAX_GROUPS
    assert notes[-1].startswith(f"Shown: {MAX_GROUPS} of {MAX_GROUPS + 3} configurations")
    charts = {chart.name: chart for chart in draw_charts(report) if chart.section == "errors"}
    assert "errors_recall" not in charts  # the groups have other classes
    assert "10 of 20 classes" in charts["errors_class_shifts"].caption
    assert "accuracy on the first test images at every shift" in charts["errors_class_shifts"].caption


@pytest.mark.parametrize(("shifted", "which"), [([6] * 3, "the first 18 of the 36 test images"), ([12] * 3, "the test images")])
def test_captions_say_which_images_were_shifted(tmp_path, shifted, which):
    found = maps() | {"shifted": shifted}
    report = report_of(tmp_path, measured(0, found=found), measured(1, found=found))
    charts = {chart.name: chart for chart in draw_charts(report)}
    assert f"accuracy on {which} at every shift" in charts["errors_class_shifts"].caption
    assert f"Of {which} that are right without a shift" in charts["errors_changes"].caption


def test_the_same_runs_give_the_same_charts(tmp_path):
    report = report_of(tmp_path, *(measured(seed) for seed in range(2)))
    first, second = ([chart.svg for chart in draw_charts(copy.copy(report)) if chart.section == "errors"] for _ in range(2))
    assert first == second
