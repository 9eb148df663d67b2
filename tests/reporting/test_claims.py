"""Claims of the literature are decided by intervals alone."""

import shutil

import pytest
from fabricated_runs import group_runs, kept, planned, run
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pydantic import ValidationError

from convexp.config.schema.claim import Claim
from convexp.records.ensembles import FOLDER, EnsembleRecord, Measured, Member, disjoint, write_ensembles
from convexp.records.plan import write_plan
from convexp.reporting.claims import Result, claim_rows, results_of, results_of_ensembles
from convexp.reporting.claims.exponents import samples_needed, slope
from convexp.reporting.claims.measure import Interval, measure
from convexp.reporting.claims.verdict import Outcome, outcome
from convexp.reporting.render.html import page
from convexp.reporting.render.markdown import markdown
from convexp.reporting.report import build_report

NOISE = (0.001, -0.002, 0.0015, -0.0005, 0.0)
finite = st.floats(-10, 10)


def claim(**changes):
    given = {"paper": "A 2020", "arxiv": "2001.00001", "where": "table 1", "known_from": "text", "says": "It is so."}
    return Claim.model_validate(given | {"metric": "test/acc"} | ({} if "within" in changes else {"above": 0.0}) | changes)


def results(model="conv", mean=0.5, seeds=5, images="a", **settings):
    return [
        Result(
            settings={"model": model} | settings, seed=s, metrics={"test/acc": mean + NOISE[s % 5]}, minutes=0.5, images=images
        )
        for s in range(seeds)
    ]


@given(st.tuples(finite, finite).map(sorted), st.tuples(finite, finite).map(sorted))
def test_a_claim_holds_inside_and_fails_outside_of_its_range(wanted, found):
    said = outcome(claim(within=wanted), Interval(5, sum(found) / 2, *found))
    (low, high), (start, stop) = wanted, found
    certain = start < stop
    assert (said is Outcome.HOLDS) == (certain and low < start and stop < high)
    assert (said is Outcome.FAILS) == (certain and (stop < low or start > high))


@given(finite)
def test_without_an_interval_nothing_is_shown(mean):
    assert outcome(claim(), Interval(1, mean, None, None)) is Outcome.OPEN
    assert outcome(claim(), None) is Outcome.ABSENT


@pytest.mark.parametrize(
    ("n", "exact", "said"), [(2, True, "not shown"), (3, True, "holds"), (5, False, "not shown"), (6, False, "holds")]
)
def test_equal_values_count_only_where_they_must_be_equal_or_are_many(n, exact, said):
    assert outcome(claim(exact=exact), Interval(n, 1.0, 1.0, 1.0)) == said


def test_runs_of_a_seed_that_differ_in_another_setting_decide_nothing():
    runs = [*results("conv", rank=1), *results("conv", rank=2)]
    (row,) = claim_rows([claim(of={"model": "conv"})], runs)
    assert row.verdict == "not shown"
    assert row.ours == row.undecided == ["several runs that it may mean, which differ in rank"]


def test_so_do_runs_of_other_seeds_that_differ():
    runs = [*results("conv", rank=1), *(structs.replace(run, seed=run.seed + 5) for run in results("conv", rank=2))]
    (row,) = claim_rows([claim(of={"model": "conv"})], runs)
    assert (row.verdict, row.ours) == ("not shown", ["several runs that it may mean, which differ in rank"])


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_or_two_equal_values_have_no_interval(seeds):
    runs = [structs.replace(run, metrics={"test/acc": 0.5}) for run in results(seeds=seeds)]
    minus = [structs.replace(run, settings={"model": "local"}) for run in runs]
    (row,) = claim_rows([claim(**COMPARED)], [*runs, *minus])
    assert row.verdict == "not shown"
    assert row.ours[0].endswith(f"difference +0.0, n = {seeds}")


@pytest.mark.parametrize(("wanted", "mean"), [(True, 0.2), (1, 0.7)])
def test_a_claim_about_true_is_not_about_one(wanted, mean):
    runs = [*results(mean=0.2, mine=True), *results(mean=0.7, mine=1)]
    (measured,) = measure(claim(of={"mine": wanted}), runs)
    assert not measured.free
    assert measured.number.mean == pytest.approx(mean, abs=0.01)


def test_the_slope_at_one_size_is_none():
    assert slope([(1.0, 2.0), (1.0, 3.0)]) is None


COMPARED = {"of": {"model": "conv"}, "minus": {"model": "local"}}


@pytest.mark.parametrize(
    ("better", "verdict"), [((0.1, 0.1), "holds"), ((-0.1, -0.1), "does not hold"), ((0.1, -0.1), "holds only if rank=1")]
)
def test_cases_that_differ_are_named(better, verdict):
    runs = [
        run
        for rank, by in zip((1, 2), better, strict=True)
        for run in (*results("conv", 0.5 + by, rank=rank), *results("local", 0.5, rank=rank))
    ]
    for each in runs:  # few different differences would need a sign test
        each.metrics["test/acc"] += each.seed**2 / 1000 if each.settings["model"] == "conv" else 0
    (row,) = claim_rows([claim(**COMPARED, cases=[{"rank": 1}, {"rank": 2}])], runs)
    assert row.verdict == verdict
    assert len(row.ours) == 2


@pytest.mark.parametrize(("n", "exact", "said"), [(3, True, "holds"), (5, False, "not shown"), (6, False, "holds")])
def test_equal_differences_count_as_equal_values_do(n, exact, said):
    runs = results("conv", seeds=n) + results("local", seeds=n)
    for each in runs:
        each.metrics["test/acc"] = 0.9 if each.settings["model"] == "conv" else 0.8
    (row,) = claim_rows([claim(**COMPARED, exact=exact, above=0.0)], runs)
    assert row.verdict == said


def test_what_was_not_run_is_said():
    of, missing = claim(of={"model": "conv"}, above=0.4), claim(of={"model": "dense"})
    rows = claim_rows([of, missing, claim(**COMPARED)], results("conv"))
    assert [row.verdict for row in rows] == ["holds", "not run", "not run"]
    (both,) = claim_rows([claim(of={"model": "conv"}, cases=[{}, {"rank": 3}], above=0.4)], results("conv"))
    assert both.verdict == "holds if all; not run if rank=3"


def test_only_runs_on_the_same_images_are_pairs():
    runs = [*results("conv", images="a"), *results("local", images="b")]
    assert measure(claim(**COMPARED), runs)[0].number is None
    differing = claim(of={"data.train_size": 1}, minus={"data.train_size": 2})
    runs = [*results(**{"data.train_size": 1}, images="a"), *results(**{"data.train_size": 2}, images="b")]
    number = measure(differing, runs)[0].number
    assert number is not None
    assert number.n == 5


def test_more_cases_have_wider_intervals():
    runs = [*results("conv", 0.6, rank=1), *results("conv", 0.6, rank=2)]
    one, two = (measure(claim(cases=cases), runs)[0].number for cases in ([{"rank": 1}], [{"rank": 1}, {"rank": 2}]))
    assert one is not None
    assert two is not None
    assert two.low < one.low < one.mean < one.high < two.high


@given(st.floats(-3, 3), st.floats(0.1, 100), st.lists(st.floats(1, 50), min_size=2, max_size=6, unique=True))
def test_the_slope_of_a_line_is_found(exponent, factor, sizes):
    sizes = [round(each, 1) for each in sizes]
    if len(set(sizes)) > 1:
        points = [(size, exponent * size + factor) for size in sizes]
        assert slope(points) == pytest.approx(exponent, abs=1e-6)


def test_the_exponent_of_runs_is_that_they_were_made_with():
    made = [
        Result(
            settings={"model": "dense", "side": [side, side], "data.train_size": n},
            seed=seed,
            metrics={"test/acc": 0.5 + 0.25 * n / ((1 + 0.1 * NOISE[seed]) * side**2 + seed)},
            minutes=1.0,
            images=f"{side} {n}",
        )
        for side in (10, 20, 40)
        for n in (side**2 // 2, side**2, side**2 * 2)
        for seed in range(5)
    ]
    growth = {"size": "side", "threshold": 0.75}
    (measured,) = measure(claim(exponent=growth, of={"model": "dense"}, within=[0.9, 1.1]), made)
    assert measured.number is not None
    assert measured.number.n == 5
    assert measured.number.mean == pytest.approx(1, abs=0.05)
    (absent,) = measure(claim(exponent=growth | {"threshold": 2.0}, within=[0, 1]), made)
    assert absent.number is None
    assert not absent.is_whole
    fewer = [each for each in made if each.seed or each.settings["data.train_size"] > 400]
    (row,) = claim_rows([claim(exponent=growth, within=[0.0, 2.0])], fewer)
    assert row.verdict == "not shown"
    assert "n = 4 of 5; the other seeds gave no exponent" in row.ours[0]


def test_a_seed_without_runs_of_a_size_gives_no_exponent():
    made = [
        Result(
            settings={"model": "dense", "size": size, "data.train_size": n},
            seed=seed,
            metrics={"test/acc": 0.5 + 0.25 * n / (size ** (1.5 if size < 4 else 2.5) * 10 * (1 + NOISE[seed]))},
            minutes=1.0,
            images=f"{size} {n}",
        )
        for size in (1, 2, 4)
        for n in (4, 16, 64, 256, 1024)
        for seed in range(5)
    ]
    planned = [each.settings | {"seed": each.seed} for each in made]
    growth = claim(exponent={"size": "size", "threshold": 0.75}, of={"model": "dense"}, within=[1.0, 2.0])

    def row(kept, planned=planned):
        return claim_rows([growth], [each for each in made if kept(each)], planned)[0]

    assert "n = 5" in row(lambda _: True).ours[0]
    without_a_size = row(lambda each: each.settings["size"] < 4)
    assert without_a_size.verdict == "not shown"
    assert "n = 0 of 5" in without_a_size.ours[0]
    for planned_or_not in (planned, ()):
        some = row(lambda each: each.settings["size"] < 4 or each.seed > 1, planned_or_not)
        assert some.verdict == "not shown"
        assert "n = 3 of 5" in some.ours[0]
    one = row(lambda each: each.seed != 3 or (each.settings["size"], each.settings["data.train_size"]) != (2, 64))
    assert "n = 4 of 5" in one.ours[0]


def test_nor_do_ensembles_of_which_a_size_is_missing():
    def made(sizes):
        return [
            Result(
                settings={"size": size, "data.train_size": n, "mean_of": "outputs", "members": 2},
                seed=seed,
                metrics={"test/acc": 0.5 + 0.25 * n / (size * 10 * (1 + NOISE[seed]))},
                minutes=1.0,
                images="",
            )
            for size in sizes
            for n in (4, 16, 64, 256)
            for seed in range(3)
        ]

    growth = claim(exponent={"size": "size", "threshold": 0.75}, of={"members": 2}, within=[0.0, 2.0])
    planned = [{"size": size, "data.train_size": n, "seed": 0} for size in (1, 2, 4) for n in (4, 16, 64, 256)]
    (whole,), (lacking,) = (measure(growth, made(sizes), planned) for sizes in ((1, 2, 4), (1, 2)))
    assert (whole.number.n, whole.is_whole) == (3, True)
    assert (lacking.number, lacking.is_whole) == (None, False)


@given(st.floats(2, 1000), st.floats(1.1, 10))
def test_the_samples_needed_lie_between_those_tried(few, ratio):
    many = few * ratio
    needed = samples_needed([(many, 0.9), (few, 0.6)], 0.75)
    assert needed == pytest.approx(few * ratio**0.5)
    assert samples_needed([(few, 0.8), (many, 0.9)], 0.75) is None
    assert samples_needed([(few, 0.5), (many, 0.6)], 0.75) is None


@pytest.mark.parametrize(
    "wrong",
    [{"above": None}, {"below": 1.0}, {"within": [2.0, 1.0]}, {"within": [1.0]}, {"cases": []}, {"arxiv": "1"}, {"paper": ""}],
)
def test_a_claim_that_says_nothing_or_too_much_is_refused(wrong):
    with pytest.raises(ValidationError):
        claim(**wrong)


def test_a_report_has_a_row_for_each_claim_and_survives_a_wrong_one(tmp_path):
    made = [run(seed, model) for model in ("conv", "dense") for seed in range(3)]
    for each in made:
        each["metrics"]["test/acc"] += 0.001 * (each["seed"] == 1) * (each["config"]["model"]["name"] == "conv")
    kept(tmp_path, *made)
    points = [(each, {"model": each["config"]["model"]["name"], "seed": each["seed"]}) for each in made]
    plan = planned({"model": ["conv", "dense"], "seed": [0, 1, 2]}, *points)
    right = claim(of={"model": "conv"}, minus={"model": "dense"}, says="Sharing <b>helps</b>.").model_dump(mode="json")
    plan = type(plan)(plan.name, plan.question, plan.axes, {}, plan.runs, [], [right, {"paper": 1}])
    write_plan(tmp_path, plan)
    report = build_report(tmp_path)
    (row,) = report.claims
    assert row.verdict == "holds"
    assert any("a claim is left out" in warning for warning in report.provenance.warnings)
    assert "Sharing &lt;b&gt;helps&lt;/b&gt;." in markdown(report)
    text = page.render(report, [])
    assert "Claims of the literature" in text
    assert "Sharing <b>" not in text


def test_results_keep_the_settings_that_vary_and_no_folder():
    made = [run(seed, model) for model in ("conv", "dense") for seed in range(2)]
    points = [(each, {"model": each["config"]["model"]["name"], "seed": each["seed"]}) for each in made]
    groups = group_runs(made, planned({"model": ["conv", "dense"], "seed": [0, 1]}, *points))
    found = results_of(groups, {"test/acc"})
    assert [(each.settings, each.seed) for each in found] == [
        ({"model": model}, seed) for model in ("conv", "dense") for seed in (0, 1)
    ]
    assert all(list(each.metrics) == ["test/acc"] and each.minutes == pytest.approx(0.1) for each in found)


def ensembles_of(made, mean_of="outputs", sizes=(1, 2)):
    """Ensembles whose accuracy is a hundredth of their number of members, and a thousandth of the seed of the first."""
    members = [Member(each["path"], each["identity"], each["seed"]) for each in made]
    groups = [seeds for size in sizes for seeds in disjoint([member.seed for member in members], size)]
    measured = [Measured(seeds=s, metrics={"test/acc": len(s) / 100 + s[0] / 1000, "b": 1.0}, seconds=6.0) for s in groups]
    return EnsembleRecord(mean_of=mean_of, runs=members, images="a b", ensembles=measured, threads=2)


@given(st.integers(0, 30), st.integers(1, 12))
def test_ensembles_of_a_size_have_no_member_in_common_and_leave_few_runs(runs, size):
    found = disjoint([*range(100, 100 + runs)], size)
    assert [seed for seeds in found for seed in seeds] == [*range(100, 100 + len(found) * size)]
    assert all(len(seeds) == size for seeds in found)
    assert runs - len(found) * size < size


def test_a_claim_about_ensembles_reads_ensembles_and_others_read_runs():
    made = [run(seed, model) for model in ("conv", "dense") for seed in range(6)]
    points = [(each, {"model": each["config"]["model"]["name"], "seed": each["seed"]}) for each in made]
    groups = group_runs(made, planned({"model": ["conv", "dense"], "seed": [*range(6)]}, *points))
    found = results_of_ensembles([ensembles_of(made[:6])], groups, {"test/acc"})
    assert [(each.settings, each.seed) for each in found] == [
        ({"model": "conv", "mean_of": "outputs", "members": size}, seed) for size in (1, 2) for seed in range(0, 6, size)
    ]
    assert all(each.metrics.keys() == {"test/acc"} and each.minutes == pytest.approx(0.2) for each in found)
    runs = [*results_of(groups), *found]
    (about,) = measure(claim(of={"model": "conv", "members": 2}, minus={"members": 1}), runs)
    assert about.number is not None
    assert (about.number.n, about.number.mean) == (3, pytest.approx(0.01))  # each with the run that it begins with
    (plain,) = measure(claim(of={"model": "conv"}), runs)
    assert plain.of is not None
    assert (plain.of.n, plain.free) == (6, ())


def test_ensembles_of_other_runs_and_of_two_means_decide_nothing():
    made = [run(seed) for seed in range(4)]
    groups = group_runs(made)
    assert results_of_ensembles([ensembles_of([run(seed, "dense") for seed in range(4)])], groups) == []
    assert results_of_ensembles([ensembles_of([made[0], run(1, "dense")])], groups) == []
    both = results_of_ensembles([ensembles_of(made), ensembles_of(made, "probabilities")], groups)
    (row,) = claim_rows([claim(of={"members": 2})], both)
    assert row.undecided == ["several runs that it may mean, which differ in mean_of"]


def test_ensembles_of_a_stranger_are_read_as_far_as_they_can_be():
    made = [run(seed) for seed in range(4)]
    right = ensembles_of(made, sizes=(2,))
    wrong = [Measured(seeds=[], metrics={"test/acc": 0.5}), Measured(seeds=[9], metrics={"test/acc": 1e300, "b": 1.0})]
    strange = [structs.replace(right, runs=[]), structs.replace(right, ensembles=[*right.ensembles, *wrong])]
    found = results_of_ensembles(strange, group_runs(made))
    assert [(each.seed, list(each.metrics)) for each in found] == [(0, ["test/acc", "b"]), (2, ["test/acc", "b"]), (9, ["b"])]


def test_a_report_reads_the_ensembles_beside_its_runs(tmp_path):
    made = [run(seed) for seed in range(6)]
    kept(tmp_path, *made)
    plan = planned({"seed": [*range(6)]}, *((each, {"seed": each["seed"]}) for each in made))
    about = claim(of={"members": 2}).model_dump(mode="json")
    write_plan(tmp_path, type(plan)(plan.name, plan.question, plan.axes, {}, plan.runs, [], [about]))
    (tmp_path / FOLDER / "conv").mkdir(parents=True)
    write_ensembles(tmp_path / FOLDER / "conv", ensembles_of(made))
    assert [row.verdict for row in build_report(tmp_path).claims] == ["holds"]
    assert build_report(tmp_path).provenance.warnings == []
    kept(tmp_path, run(6), run(7))
    lacking = "no ensemble has the runs of conv with seed 6, 7; convexp-eval with ensemble=true measures them again"
    assert build_report(tmp_path).provenance.warnings == [lacking]
    for seed in (6, 7):
        shutil.rmtree(tmp_path / f"conv-seed{seed}")
    large = ensembles_of(made)
    large.ensembles[0].metrics["test/loss"] = 1e300
    write_ensembles(tmp_path / FOLDER / "conv", large)
    assert [row.verdict for row in build_report(tmp_path).claims] == ["holds"]
    said = "the ensembles in ensembles/conv have metrics beyond 1e100, which are left out: test/loss"
    assert build_report(tmp_path).provenance.warnings == [said]
    (tmp_path / FOLDER / "conv" / "ensemble.json").write_text("{")
    damaged = build_report(tmp_path)
    assert [row.verdict for row in damaged.claims] == ["not run"]
    remedy = "convexp-eval with ensemble=true measures them again"
    assert damaged.provenance.warnings == [
        f"the ensembles in ensembles/conv cannot be read: ensemble.json is damaged; {remedy}"
    ]
    (tmp_path / FOLDER / "conv" / "ensemble.json").write_text('{"format": 99}')
    assert any("upgrade convexp" in warning for warning in build_report(tmp_path).provenance.warnings)
