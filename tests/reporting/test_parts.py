"""Reports on several sweeps, studies or data sets, and on several folders."""

import csv
import os

import pytest
from browser import watch
from fabricated_runs import kept, planned, run, with_path

from convexp.board.folders import HOME
from convexp.board.front import summary_text
from convexp.errors import ConfigError
from convexp.records.plan import write_plan
from convexp.reporting.render.files import write_report
from convexp.reporting.render.markdown import escape, markdown
from convexp.reporting.report import build_report
from convexp.reporting.step_verdicts import step_lines
from convexp.reporting.verdicts import verdicts

NASTY = "<script>alert(1)</script>"


def sweep(root, question, models=("local", "conv"), seeds=3, compare="conv"):
    """A sweep in a folder of its own, with its plan."""
    made = [with_path(f"{m}-{s}", run(s, m)) for m in models for s in range(seeds)]
    points = [(r, {"model": r["config"]["model"]["name"], "seed": r["seed"]}) for r in made]
    plan = planned({"model": [*models], "seed": [*range(seeds)]}, *points, model=compare)
    kept(root, *made)
    write_plan(root, type(plan)(question, question, plan.axes, plan.compare, plan.runs))
    return root


@pytest.fixture
def several(tmp_path):
    """Two sweeps with equal labels, and runs of no sweep on two data sets."""
    sweep(tmp_path / "all" / "a", "First?")
    sweep(tmp_path / "all" / "b", NASTY, ("dense", "conv"), compare="dense")
    loose = [with_path(f"loose/{d}{s}", run(s, data__name=d)) for d in ("digits", "mnist") for s in range(2)]
    kept(tmp_path / "all", *loose)
    return tmp_path / "all"


def test_each_sweep_and_each_data_set_is_a_part_with_its_own_baseline(several):
    found = build_report(several)
    assert [(part.name, part.title) for part in found.parts] == [
        ("a", "First?"),
        ("b", NASTY),
        ("digits", "digits"),
        ("mnist", "mnist"),
    ]
    assert [{c.baseline for c in part.comparisons} for part in found.parts] == [{"conv"}, {"dense"}, set(), set()]
    labels = [g.label for g in found.groups]
    assert sorted(labels) == ["a: conv", "b: conv", "dense", "digits: conv", "local", "mnist: conv"]
    assert sum(g.n for g in found.groups) == len(found.runs) == 16
    assert {c.label for c in found.comparisons} <= set(labels) >= {c.baseline for c in found.comparisons}


def test_a_sweep_below_the_folder_is_reported_as_it_is_itself(several):
    alone = build_report(several / "a")
    assert (alone.title, alone.parts) == ("First?", [])
    assert build_report(several).parts[0].comparisons == alone.comparisons


def test_a_page_of_several_sweeps_says_where_its_networks_are(several, tmp_path):
    def page():
        write_report(build_report(several), tmp_path)
        return (tmp_path / "report.html").read_text()

    said = "A page on several sweeps, studies or data sets has no networks to try"
    assert said not in page()  # and neither has any of them
    run = build_report(several).parts[1].runs[0]
    checkpoint = several / "b" / run.path / "checkpoints" / "best.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert said in page()


def test_verdicts_of_two_studies_on_one_axis_stay_apart(tmp_path):
    """Lines of the same name along the same axis are corrected, and told, study by study."""
    for name in ("a", "b"):
        sweep_of_sizes(tmp_path / "all" / name)
    report = build_report(tmp_path / "all")
    text = markdown(report)
    for part in report.parts:
        for line in [*map(str, verdicts(part.comparisons)), *step_lines(part.along)]:
            assert text.count(f"- {escape(line)}\n") == 2
    assert text.count("### Comparisons along an axis") == 2
    assert "## Comparisons" not in text.replace("### ", "")
    said = [f"- {part.name}: {escape(str(v))}\n" for part in report.parts for v in verdicts(part.comparisons)]
    assert said
    assert all(summary_text(report).count(line) == 1 for line in said)


def sweep_of_sizes(root):
    """A sweep over sizes and two models, compared along the sizes and with a model."""
    made = [
        with_path(f"{m}-{k}-{s}", run(s, m, model__kernel_size=k))
        for m in ("local", "conv")
        for k in (1, 3, 5)
        for s in range(4)
    ]
    points = [
        (
            r,
            {
                "model": r["config"]["model"]["name"],
                "model.kernel_size": r["config"]["model"]["kernel_size"],
                "seed": r["seed"],
            },
        )
        for r in made
    ]
    kept(root, *made)
    axes = {"model": ["local", "conv"], "model.kernel_size": [1, 3, 5], "seed": [*range(4)]}
    write_plan(root, planned(axes, *points, model="conv"))


def test_the_only_sweep_below_a_folder_gets_its_dashboard(call, tmp_path):
    sweep(tmp_path / "all" / "a", "First?")
    assert call("report", str(tmp_path / "all")).code == 0
    assert (tmp_path / "all" / "a" / HOME).is_dir()
    assert not (tmp_path / "all" / HOME).exists()


def test_parts_of_one_name_are_numbered(tmp_path):
    sweep(tmp_path / "digits", "First?")
    kept(tmp_path, *[with_path(f"loose/{s}", run(s, data__name="digits")) for s in range(2)])
    report = build_report(tmp_path)
    assert sorted(part.name for part in report.parts) == ["digits", "digits (2)"]
    assert len({g.label for g in report.groups}) == len(report.groups)


def test_a_wrong_baseline_given_twice_is_wrong(several):
    with pytest.raises(ConfigError, match="no finished run has model=mlp"):
        build_report(several / "a", baselines=["model=mlp", "model=mlp"])


def test_a_label_isolates_its_series_in_the_charts_of_its_part(browser_page, tmp_path):
    for name in ("a", "b"):
        sweep(tmp_path / "all" / name, f"{name}?")
    write_report(build_report(tmp_path / "all"), tmp_path / "all")
    seen = watch(browser_page)
    browser_page.goto((tmp_path / "all" / "report.html").as_uri())
    pick = browser_page.locator("#part1 .picks [role=button]").first
    pick.click()
    assert browser_page.locator("#part1 .chart .away").count() > 0
    assert browser_page.locator("#part2 .chart .away").count() == 0
    assert browser_page.locator("#part2 [aria-pressed=true]").count() == 0
    assert "in the charts of this part" in browser_page.locator("[role=status]").inner_text()
    pick.click()
    assert browser_page.locator(".chart .away").count() == 0
    assert seen.errors == []


def test_a_run_that_two_paths_lead_to_counts_once(several, tmp_path):
    (tmp_path / "link").symlink_to(several)
    found = build_report(several, tmp_path / "link", several / "a", several / ".." / "all" / "b")
    assert len(found.runs) == 16
    assert {(found.root / r.path / "result.json").is_file() for r in found.runs} == {True}
    assert len({os.path.realpath(found.root / r.path) for r in found.runs}) == 16


def test_folders_are_named_in_what_is_told_of_their_runs(several, tmp_path):
    sweep(tmp_path / "other", "Other?")
    found = build_report(several / "a", tmp_path / "other")
    assert [part.name for part in found.parts] == ["all/a", "other"]
    assert {path.rpartition("/")[0] for _, values in found.provenance.environment for _, paths in values for path in paths} == {
        "all/a",
        "other",
    }


def test_a_baseline_of_the_users_choice(several):
    found = build_report(several, baselines=["model=local"])
    assert [{c.baseline for c in part.comparisons} for part in found.parts[:2]] == [{"local"}, {"dense"}]
    assert {c.baseline for c in build_report(several / "b", baselines=["model=conv"]).comparisons} == {"conv"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model=mlp", "no finished run has model=mlp; there are local, conv"),
        ("lr=1", "lr does not differ between the finished runs; those that do are model"),
        ("model", "has to be SETTING=VALUE"),
    ],
)
def test_a_wrong_baseline_names_what_there_is(several, text, said):
    with pytest.raises(ConfigError, match=said):
        build_report(several / "a", baselines=[text])


def test_several_folders_from_the_command_line(call, several, tmp_path):
    done = call("report", str(several / "a"), str(several / "b"))
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "--output FOLDER" in done.err
    done = call("report", str(several / "a"), str(several / "b"), "--output", "both", "--title", f"Both {NASTY}")
    assert done.code == 0, done.err
    assert "First?" in done.out
    assert not (several / "report.html").exists()
    with (tmp_path / "both" / "summary.csv").open() as file:
        assert {row["part"] for row in csv.DictReader(file)} == {"a", "b"}
    assert NASTY not in (tmp_path / "both" / "report.html").read_text()


def test_the_page_of_many_parts(browser_page, tmp_path):
    """Folded if they are many; each part has its answer, its picture and its table, and nothing is wider than a phone."""
    for index in range(9):
        sweep(tmp_path / "all" / f"s{index}", f"Question {index}? {NASTY if index == 3 else ''}")
    report = build_report(tmp_path / "all")
    first = write_report(report, tmp_path / "all")[0].read_bytes()
    assert write_report(build_report(tmp_path / "all"), tmp_path / "all")[0].read_bytes() == first
    seen = watch(browser_page)
    browser_page.goto((tmp_path / "all" / "report.html").as_uri())
    assert browser_page.locator("details.part").count() == 9
    assert browser_page.locator("details.part[open]").count() == 0
    assert browser_page.evaluate("document.documentElement.scrollHeight") < 4000
    part = browser_page.locator("#part4")
    part.locator("summary").first.click()
    assert "local reaches 93.1 % and conv 97.1 %" in part.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert part.locator("figure svg").is_visible()
    assert part.locator("table").first.is_visible()
    ids = browser_page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    browser_page.set_viewport_size({"width": 390, "height": 800})
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390
    assert seen.errors == []
