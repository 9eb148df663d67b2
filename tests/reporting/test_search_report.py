"""What a report shows of a search: a function of search.json, also of one that somebody else has written."""

import json
from dataclasses import replace

import pytest
from fabricated_report import three_layers
from fabricated_runs import kept, run
from msgspec import structs

from convexp.records.search import FILE, SearchedSetting, SearchRecord, SearchTrial, read_search, write_search
from convexp.reporting.charts import draw_charts
from convexp.reporting.charts.parallel import position
from convexp.reporting.origin import digest
from convexp.reporting.render.csv_tables import trials_csv
from convexp.reporting.render.files import write_report
from convexp.reporting.render.html.page import render
from convexp.reporting.render.markdown import markdown
from convexp.reporting.report import build_report
from convexp.reporting.search import best_command, best_sentence, choice_note, search_rows, search_sentences

NASTY = "<script>alert(1)</script>"


def trial(number, lr, values, state="complete", **more):
    mean = sum(values) / len(values) if state == "complete" else None
    return SearchTrial(
        number=number,
        state=state,
        params={"optimizer.lr": lr, "model": "conv" if number % 2 else "local"},
        overrides=[f"optimizer.lr={lr}", f"model={'conv' if number % 2 else 'local'}"],
        value=mean,
        values={str(seed): value for seed, value in enumerate(values)},
        **more,
    )


SEARCH = SearchRecord(
    metric="val/acc",
    direction="maximize",
    sampler="tpe",
    sampler_seed=0,
    n_trials=6,
    seeds=[0, 1],
    arguments=["-m", "trainer.max_epochs=2"],
    space={
        "optimizer.lr": SearchedSetting(low=1e-4, high=1e-1, log=True),
        "model": SearchedSetting(choices=["local", "conv"]),
    },
    importance={"model": 0.25, "optimizer.lr": 0.75},
    method="fANOVA (random forest)",
    trials=[
        trial(0, 0.001, [0.5, 0.6]),
        trial(1, 0.01, [0.9, 0.8]),
        trial(2, 0.1, [], state="failed", reason=f"seed 0: {NASTY}"),
        trial(3, 0.02, [0.7, 0.75]),
        trial(4, 0.002, [], state="pruned", reason="pruned after epoch 1"),
        trial(5, 0.003, [], state="running"),
    ],
)


def report(search=SEARCH):
    return replace(three_layers(), comparisons=[], search=search)


def test_the_best_is_the_highest_or_the_lowest_mean():
    assert [t.number for t in SEARCH.ranked] == [1, 3, 0]
    lowest = structs.replace(SEARCH, direction="minimize", metric="val/loss")
    assert [t.number for t in lowest.ranked] == [0, 3, 1]
    assert best_sentence(lowest).startswith("best trial: number 0, val/loss 0.55 ± ")


def test_rows_have_the_interval_over_seeds():
    header, first, *_ = search_rows(SEARCH)
    assert header == ["trial", "lr", "model", "validation accuracy", "n"]
    assert first[:3] == ["1", "0.01", "conv"]
    assert first[3].startswith("85.0 (")
    assert first[4] == "2"
    assert len(search_rows(SEARCH, most=2)) == 3


def test_sentences_count_what_became_of_the_trials():
    assert search_sentences(SEARCH) == [
        "6 trials of 6: 3 complete, 1 failed, 1 pruned, 1 not ended",
        "maximize validation accuracy (val/acc), mean over the seeds 0, 1; sampler tpe, seed 0",
    ]


def test_the_command_repeats_the_best_trial():
    assert best_command(SEARCH) == "convexp-train -m trainer.max_epochs=2 optimizer.lr=0.01 model=conv seed=0,1"
    single = structs.replace(SEARCH, seeds=[4])
    assert best_command(single) == "convexp-train trainer.max_epochs=2 optimizer.lr=0.01 model=conv seed=4"
    assert best_command(structs.replace(SEARCH, trials=[])) is None


def test_what_the_choice_does_to_the_numbers_is_said():
    assert choice_note(SEARCH).endswith("is optimistic; the test images had no part in the choice.")
    assert "used to choose it" in choice_note(structs.replace(SEARCH, metric="test/acc"))
    assert choice_note(structs.replace(SEARCH, metric="cost/flops")) is None
    assert choice_note(structs.replace(SEARCH, trials=SEARCH.trials[:1])) is None


def test_page_charts_and_tables_show_the_search(tmp_path):
    made = report()
    charts = {chart.name: chart for chart in draw_charts(made)}
    assert {"search_best", "search_importance", "search_parallel"} <= charts.keys()
    assert "best trial: number 1, " in charts["search_best"].alt_text
    assert charts["search_importance"].alt_text == "Importance: optimizer.lr 75 %; model 25 %."
    page = render(made, list(charts.values()))
    assert '<h2 id="search-title">Search</h2>' in page
    assert "To repeat the best trial: <code>convexp-train -m trainer.max_epochs=2 optimizer.lr=0.01" in page
    assert "trial 2 failed: seed 0: &lt;script&gt;" in page
    assert NASTY not in page
    assert (
        "Of 3 finished trials the best, number 1, has a validation accuracy of 85.0\N{NO-BREAK SPACE}% (mean over 2 seeds)"
        in page
    )
    assert "the test images had no part in the choice" in page
    assert "| 1 | 0.01 | conv | 85.0 (" in markdown(made)
    assert trials_csv(SEARCH).splitlines()[:2] == [
        "trial,state,optimizer.lr,model,val/acc,seed 0,seed 1,reason",
        "0,complete,0.001,local,0.55,0.5,0.6,",
    ]
    assert tmp_path / "trials.csv" in write_report(made, tmp_path)


def test_another_search_is_another_digest():
    assert digest(report()) != digest(report(structs.replace(SEARCH, n_trials=7))) != digest(report(None))


@pytest.mark.parametrize(
    "search",
    [
        structs.replace(SEARCH, trials=[]),
        structs.replace(SEARCH, trials=SEARCH.trials[:1], importance={}),
        structs.replace(SEARCH, trials=SEARCH.trials[2:3]),
        structs.replace(SEARCH, space={}),
        structs.replace(SEARCH, space={"model": SearchedSetting(), "optimizer.lr": SearchedSetting(low=0, high=0, log=True)}),
        structs.replace(SEARCH, direction="minimize", metric="val/loss", trials=[trial(0, 1, [1e-3]), trial(1, 1, [1e99])]),
        structs.replace(SEARCH, trials=[trial(0, 1, [1e308, 1e308]), trial(1, [NASTY], [0.5])]),
        structs.replace(SEARCH, direction=NASTY, sampler=NASTY, arguments=[NASTY], importance={NASTY: 1.0}, metric=NASTY),
    ],
)
def test_no_search_is_too_strange(search, tmp_path):
    made = report(search)
    assert NASTY not in render(made, draw_charts(made))
    write_report(made, tmp_path)


@pytest.mark.parametrize(
    ("space", "value", "expected"),
    [
        (SearchedSetting(low=0, high=4), 1, 0.25),
        (SearchedSetting(low=1, high=100, log=True), 10, 0.5),
        (SearchedSetting(choices=["a", [1, 2], 3]), [1, 2], 0.5),
        (SearchedSetting(choices=["a"]), "a", 0.0),
        (SearchedSetting(low=1, high=1), 1, 0.5),
        (SearchedSetting(low=0, high=1), "text", 0.5),
    ],
)
def test_positions_on_an_axis(space, value, expected):
    assert position(space, value) == pytest.approx(expected)


def test_what_is_written_is_read_and_a_damaged_file_is_none(tmp_path):
    write_search(tmp_path, SEARCH)
    assert read_search(tmp_path) == SEARCH
    (tmp_path / FILE).write_text('{"format": 1, "metric": 3}')
    assert read_search(tmp_path) is None


def test_a_search_of_a_newer_version_is_a_warning(tmp_path):
    from fabricated_runs import kept, run

    kept(tmp_path, run())
    (tmp_path / FILE).write_text(json.dumps({"format": 99}))
    found = build_report(tmp_path)
    assert found.search is None
    assert any("upgrade convexp" in warning for warning in found.provenance.warnings)


@pytest.mark.parametrize("text", ["{", json.dumps({"format": 1}), None])
def test_a_damaged_search_is_said_and_its_trials_are_runs(tmp_path, text):
    """A search without seeds is none that was written here."""
    kept(tmp_path, *(run(seed) for seed in range(2)))
    write_search(tmp_path, SEARCH)
    assert build_report(tmp_path).provenance.warnings == []
    strange = json.dumps(json.loads((tmp_path / FILE).read_text()) | {"seeds": []})
    (tmp_path / FILE).write_text(strange if text is None else text)
    found = build_report(tmp_path)
    assert found.search is None
    assert [group.n for group in found.groups] == [2]
    said = "what the search has found cannot be read: search.json is damaged; the search started again writes it anew"
    assert found.provenance.warnings == [said]
    write_report(found, tmp_path)


def test_a_damaged_plan_is_said(tmp_path):
    kept(tmp_path, *(run(seed) for seed in range(2)))
    (tmp_path / "study.json").write_text("{")
    said = "the plan of the study cannot be read: study.json is damaged; the study started again writes it anew"
    assert build_report(tmp_path).provenance.warnings == [said]
