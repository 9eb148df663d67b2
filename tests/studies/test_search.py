"""hydra/sweeper=optuna: what is searched, which trials there are however often it was started, and what they come to."""

import copy
import json
from contextlib import ExitStack
from statistics import fmean

import optuna
import pytest
from conftest import read
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from sweeps import kill, started, starts, until

from convexp.errors import ConfigError
from convexp.files.locks import lock
from convexp.records.plan import read_plan
from convexp.records.pruning import (
    ask_to_stop,
    begin_pruning,
    end_pruning,
    is_pruning,
    reason_to_stop,
    report_value,
    reported_values,
)
from convexp.records.search import read_search
from convexp.studies.grid import Axis
from convexp.studies.search.names import run_folder
from convexp.studies.search.outcome import Outcome
from convexp.studies.search.pruning import mean_by_epoch, watch
from convexp.studies.search.quiet import quiet_optuna
from convexp.studies.search.samplers import make_sampler
from convexp.studies.search.search import LOCK
from convexp.studies.search.settings import SearchSettings, read_settings
from convexp.studies.search.space import parse_space
from convexp.studies.search.storage import FILE, opened_storage
from convexp.studies.search.task import SearchTask
from convexp.studies.search.trials import Trials

SEARCH = ("-m", "hydra/sweeper=optuna", "hydra.sweep.dir=sweep")
COSTS = (*SEARCH, "only_costs=true", "hydra.sweeper.metric=cost/parameters", "model.kernel_size=3,5,7", "model.hidden=[8],[16]")
TINY = ("trainer=cpu", "trainer.max_epochs=2", "model.channels=[2,2]", "trainer.threads=1")
TRAINED = (*SEARCH, *TINY, "probes=none", "optimizer.lr=tag(log,interval(1e-3,1e-1))", "hydra.sweeper.n_trials=4")
DEFAULTS = {
    "n_trials": 4,
    "trials_at_once": 1,
    "sampler": "tpe",
    "sampler_seed": 0,
    "seeds": None,
    "storage": None,
    "study_name": None,
    "metric": None,
    "direction": None,
    "pruner": None,
}


def told(root):
    """What a search has come to, without the names of folders."""
    return [(t.number, t.state, t.params, t.values, t.value) for t in read_search(root).trials]


# --- the space ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=3,5,7", {"choices": [3, 5, 7]}),
        ("a=choice([16,32],[32,64])", {"choices": [[16, 32], [32, 64]]}),
        ("a=x,null,true,'b c'", {"choices": ["x", None, True, "b c"]}),
        ("a=range(1,10,2)", {"low": 1, "high": 9, "step": 2, "log": False}),
        ("a=range(0,0.5,0.25)", {"choices": [0.0, 0.25]}),
        ("a=int(interval(1,4))", {"low": 1, "high": 4, "step": 1, "log": False}),
        ("a=interval(0,1)", {"low": 0.0, "high": 1.0, "step": None, "log": False}),
        ("a=interval(0.5,4)", {"low": 0.5, "high": 4.0, "step": None, "log": False}),
        ("a=tag(log,interval(1e-4,1e-1))", {"low": 1e-4, "high": 1e-1, "step": None, "log": True}),
        ("+a=tag(log,int(interval(1,64)))", {"low": 1, "high": 64, "step": 1, "log": True}),
    ],
)
def test_spaces_are_written_as_hydra_writes_them(text, expected):
    (dimension,), constant = parse_space([text, "b=1"])
    assert dimension.key == "a"
    assert dimension.described() == expected
    assert constant == ["b=1"]


def test_the_last_word_on_a_setting_counts():
    space, constant = parse_space(["a=1,2", "b=interval(0,1)", "a=3"])
    assert [dimension.key for dimension in space] == ["b"]
    assert constant == ["a=3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing is searched"),
        (("seed=0,1",), "seed=0,1: a seed is not searched; hydra.sweeper.seeds=[0,1,2]"),
        (("monitor=val/acc,val/loss",), "monitor=val/acc,val/loss: is the same for all trials"),
        (("optimizer.lr=interval(0.1,0.01)",), "optimizer.lr=interval(0.1,0.01): the lower end comes first"),
        (("optimizer.lr=tag(log,interval(0,1))",), "the lower end should be above 0"),
        (("optimizer.lr=tag(logg,interval(1,2))",), "the tag logg has no meaning"),
        (("optimizer.lr=glob(*)",), "optimizer.lr=glob(*): "),
        (("optimizer.lrr=interval(0.1,0.2)",), "optimizer.lrr: there is no such setting; did you mean lr?"),
        (("optimizer.lr=interval(-2.5,-1)",), "optimizer.lr=-2.5: should be greater than 0"),
        (("model=conv,cnov",), "model=cnov: there is no such option"),
        (("model=conv,local", "only_costs=true"), "runs with only_costs=true have no val/acc"),
        (("model=conv,local", "hydra.sweeper.metric=probe/x"), "set hydra.sweeper.direction=maximize"),
        (("model=conv,local", "hydra.sweeper.pruner=median", "hydra.sweeper.metric=test/acc"), "hydra.sweeper.pruner=median: "),
        (("model=conv,local", "study=border"), "study: has a grid"),
        (("model=conv,local", "hydra.sweep.subdir=x"), "hydra.sweep.subdir=x: "),
        (("model=conv,local", "hydra.sweeper.n_trial=3"), "hydra.sweeper.n_trial: there is no such setting"),
        (("model=conv,local", "hydra.launcher.processes=0"), "hydra.launcher.processes=0"),
    ],
)
def test_a_wrong_space_is_one_line_and_leaves_nothing(call, tmp_path, arguments, message):
    done = call("train", *SEARCH, *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_trials", 0),
        ("n_trials", True),
        ("trials_at_once", 0),
        ("sampler", "grid"),
        ("sampler_seed", -1),
        ("seeds", []),
        ("seeds", [0, 0]),
        ("seeds", [0.5]),
        ("seeds", "range(0)"),
        ("storage", 3),
        ("direction", "up"),
        ("pruner", "percentile"),
    ],
)
def test_a_wrong_setting_of_the_search_is_named(name, value):
    with pytest.raises(ConfigError, match=f"^hydra.sweeper.{name}="):
        read_settings({**DEFAULTS, name: value})


def test_seeds_are_a_list_one_or_a_range():
    assert read_settings({**DEFAULTS, "seeds": "range(3)"}).seeds == (0, 1, 2)
    assert read_settings({**DEFAULTS, "seeds": 4}).seeds == (4,)
    assert read_settings({**DEFAULTS, "seeds": [2, 1]}).seeds == (2, 1)


def test_cma_es_says_what_it_needs(monkeypatch):
    monkeypatch.setattr("convexp.studies.search.settings.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install cmaes"):
        read_settings({**DEFAULTS, "sampler": "cma-es"})


def test_without_optuna_the_command_to_install_it_is_said(call, monkeypatch):
    monkeypatch.setattr("convexp.config.checks.packages.find_spec", lambda name: None)
    done = call("train", *SEARCH, "model=conv,local")
    assert done.code == 2
    assert done.err == (
        "convexp-train: hydra/sweeper=optuna: the package optuna is not installed; pip install 'convexp[optuna]'\n"
    )


def test_the_sweeper_of_hydras_own_plugin_does_not_take_its_place(call, monkeypatch):
    store = ConfigStore.instance()
    monkeypatch.setattr(store, "repo", copy.deepcopy(store.repo))
    store.store(group="hydra/sweeper", name="optuna", node={"_target_": "elsewhere.Sweeper"}, provider="optuna_sweeper")
    done = call("train", "hydra/sweeper=optuna", "--cfg", "hydra")
    assert "hydra_plugins.convexp_optuna.OptunaSweeper" in done.out
    assert "elsewhere" not in done.out


# --- trials ---


SPACE = parse_space(["lr=tag(log,interval(1e-4,1e-1))", "size=3,5", "depth=int(interval(1,4))"])[0]
TASK = SearchTask({d.key: d.described() for d in SPACE}, "val/acc", "maximize", [0], {"optimizer.lr": 1e-4})


@pytest.fixture
def trials(tmp_path):
    """Opens the trials of a search, as a start does: trials(task), with another sampler or seed."""

    def start(task=TASK, **settings):
        storage = stack.enter_context(opened_storage(f"sqlite:///{tmp_path / FILE}"))
        return Trials(storage, "search", "the storage", task, SearchSettings(4, **settings), SPACE)

    with quiet_optuna(), ExitStack() as stack:
        yield start


def params(trials, count):
    found = []
    for _ in range(count):
        trial = trials.ask()
        trials.tell(trial, Outcome({0: trial.params["lr"]}))
        found.append(trial.params)
    return found


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_seed_decides_however_often_the_search_is_started(tmp_path, trials, sampler):
    started_often = [params(trials(sampler=sampler), 1)[0] for _ in range(14)]
    (tmp_path / FILE).unlink()
    assert params(trials(sampler=sampler), 14) == started_often
    (tmp_path / FILE).unlink()
    assert params(trials(sampler=sampler, sampler_seed=1), 3) != started_often[:3]


@pytest.mark.parametrize("known", [0, 1, 2])
def test_a_trial_whose_settings_were_being_chosen_gets_those_it_would_have_had(tmp_path, trials, known):
    whole = trials()
    params(whole, 12)
    expected = whole.ask().params
    (tmp_path / FILE).unlink()
    killed = trials()
    params(killed, 12)
    killed.study.sampler = make_sampler(killed.settings, 12)
    names = list(killed.distributions)[:known]
    asked = killed.study.ask({name: killed.distributions[name] for name in names})
    (found,) = trials().open()
    assert found.number == asked.number == 12
    assert found.params == expected


def test_a_search_that_differs_is_named(trials):
    trials()
    for changed, named in [
        ({"metric": "val/loss"}, "metric=val/loss, before val/acc"),
        ({"seeds": [0, 1]}, r"seeds=\[0,1\], before \[0\]"),
        ({"settings": {"optimizer.lr": 1e-4, "trainer.max_epochs": 3}}, "trainer.max_epochs=3, before null"),
        ({"space": {**TASK.space, "size": {"choices": [3]}}}, r"size=\[3\], before \[3,5\]"),
    ]:
        with pytest.raises(ConfigError, match=f"differs in {named}; "):
            trials(SearchTask(**{**TASK.as_attribute(), **changed}))
    trials()


def test_a_study_of_somebody_else_is_left_alone(tmp_path, trials):
    with opened_storage(f"sqlite:///{tmp_path / FILE}") as storage:
        optuna.create_study(storage=storage, study_name="search").ask()
    with pytest.raises(ConfigError, match="is none of convexp"):
        trials()


def test_folders_follow_from_the_settings_alone():
    def point(**settings):
        return tuple((Axis((key,), ((text,),)), (text,)) for key, text in settings.items())

    name = run_folder(point(**{"optimizer.lr": "0.0123456", "model": "conv"}), 3)
    assert name == "lr0.0123-conv-8903cb30-seed3"
    assert run_folder(point(**{"optimizer.lr": "0.0123457", "model": "conv"}), 3) != name
    assert len(run_folder(point(**{f"model.x{i}": "[1,2,3,4]" for i in range(20)}), 0)) < 80


# --- searches without training ---


def test_there_are_n_trials_in_all_and_they_go_on_where_they_were(call, tmp_path):
    first = call("train", *COSTS, "hydra.sweeper.n_trials=3", "hydra.sweeper.seeds=[0,1]")
    assert first.code == 0, first.err
    assert "search of 3 trials in sweep: 3 new (tpe, minimize cost/parameters)" in first.out
    root = tmp_path / "sweep"
    for trial in read_search(root).trials:
        assert [read(root / folder)["seed"] for folder in trial.folders] == [0, 1]
        assert trial.value == fmean(read(root / folder)["metrics"]["cost/parameters"] for folder in trial.folders)
    before = {file: file.read_bytes() for file in root.glob("*/result.json")}
    again = call("train", *COSTS, "hydra.sweeper.n_trials=3", "hydra.sweeper.seeds=[0,1]")
    assert again.code == 0
    assert "3 already done (" in again.out
    assert {file: file.read_bytes() for file in root.glob("*/result.json")} == before
    more = call("train", *COSTS, "hydra.sweeper.n_trials=6", "hydra.sweeper.seeds=[0,1]", "hydra.sweeper.trials_at_once=2")
    assert more.code == 0
    assert "3 already done, 3 new" in more.out
    assert [trial.number for trial in read_search(root).trials] == list(range(6))
    planned = {run.folder for run in read_plan(root).runs}
    assert planned == {folder for trial in read_search(root).trials for folder in trial.folders}
    assert {folder.name for folder in root.iterdir() if (folder / "result.json").exists()} == planned


def test_a_trial_with_wrong_settings_is_counted_with_its_reason(call, tmp_path):
    done = call("train", *SEARCH, "only_costs=true", "hydra.sweeper.metric=cost/flops", "model.kernel_size=3,4", "model=conv")
    assert done.code == 2  # all that is missing has wrong settings
    trials = read_search(tmp_path / "sweep").trials
    assert len(trials) == 20
    assert {trial.state for trial in trials if trial.params["model.kernel_size"] == 4} == {"failed"}
    assert {trial.state for trial in trials if trial.params["model.kernel_size"] == 3} == {"complete"}
    assert all("kernel_size, got 4" in trial.reason for trial in trials if trial.state == "failed")
    page = (tmp_path / "sweep" / "report.html").read_text()
    assert "failed: seed 0: model.padding=same needs an odd kernel_size, got 4" in page


def test_a_metric_that_no_run_has_ends_the_search_with_the_first_batch(call, tmp_path):
    settings = ("only_costs=true", "hydra.sweeper.metric=cost/parameter", "model.kernel_size=3,5", "hydra.sweeper.n_trials=4")
    done = call("train", *SEARCH, *settings)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "hydra.sweeper.metric=cost/parameter: no run has it; did you mean cost/parameters?" in done.err
    (trial,) = read_search(tmp_path / "sweep").trials  # its runs are finished, and it may still be told
    assert trial.state not in ("failed", "complete")


def test_a_metric_that_some_runs_lack_is_the_reason_of_their_trials(call, tmp_path, monkeypatch):
    from convexp.studies.search import outcome

    read = outcome.read_record

    def without(folder):
        found = read(folder)
        if found is not None and found.config["model"]["kernel_size"] == 5:
            del found.metrics["cost/parameters"]
        return found

    monkeypatch.setattr(outcome, "read_record", without)
    settings = ("only_costs=true", "hydra.sweeper.metric=cost/parameters", "model.kernel_size=3,5", "hydra.sweeper.n_trials=8")
    call("train", *SEARCH, *settings, "hydra.sweeper.trials_at_once=8")
    trials = read_search(tmp_path / "sweep").trials
    assert {(trial.params["model.kernel_size"], trial.state) for trial in trials} == {(3, "complete"), (5, "failed")}
    reasons = {trial.reason for trial in trials if trial.state == "failed"}
    assert all(reason.startswith("seed 0: has no metric cost/parameters; there are cost/") for reason in reasons)


def test_another_search_in_the_same_folder_is_refused(call, tmp_path):
    assert call("train", *COSTS, "hydra.sweeper.n_trials=1").code == 0
    before = {file: file.read_bytes() for file in (tmp_path / "sweep").glob("*.json")}
    for change, named in [
        ("model.kernel_size=3,5", "model.kernel_size=[3,5], before [3,5,7]"),
        ("model.stride=1", "model.stride=1, before 2"),
        ("hydra.sweeper.metric=cost/flops", "metric=cost/flops, before cost/parameters"),
    ]:
        done = call("train", *COSTS, "hydra.sweeper.n_trials=1", change)
        assert done.code == 2
        assert f"optuna.db: holds a search that differs in {named}; " in done.err
    assert {file: file.read_bytes() for file in (tmp_path / "sweep").glob("*.json")} == before


def test_a_storage_of_ones_own(call, tmp_path):
    own = ("hydra.sweeper.n_trials=1", "hydra.sweeper.storage=trials.db")
    assert call("train", *COSTS, *own).code == 0
    with opened_storage(f"sqlite:///{tmp_path / 'trials.db'}") as storage:
        assert optuna.get_all_study_names(storage) == ["sweep"]
    done = call("train", *COSTS, *own, "hydra.sweep.dir=other", "hydra.sweeper.study_name=sweep", "model.kernel_size=3,5")
    assert done.code == 2
    assert "model.kernel_size=[3,5], before [3,5,7]" in done.err
    assert not (tmp_path / "other").exists()
    done = call("train", *COSTS, *own, "hydra.sweep.dir=elsewhere/sweep")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "its study sweep is the search in sweep; name another study_name" in done.err
    assert not (tmp_path / "elsewhere" / "sweep").exists()
    (tmp_path / "sweep").rename(tmp_path / "moved")
    done = call("train", *COSTS, *own, "hydra.sweep.dir=moved", "hydra.sweeper.study_name=sweep")
    assert done.code == 0, done.err
    assert "1 already done" in done.out
    (tmp_path / "text.db").write_text("no database, but a text that is longer than the header of one would be " * 20)
    for storage, reason in [("text.db", "file is not a database"), ("'no://a:secret@b/c'", "Can't load plugin")]:
        done = call("train", *COSTS, "hydra.sweep.dir=other", f"hydra.sweeper.storage={storage}")
        assert done.code == 2
        assert f"cannot be opened ({reason}" in done.err
        assert "secret" not in done.err


def test_two_processes_do_not_search_in_one_folder(call, tmp_path):
    (tmp_path / "sweep").mkdir()
    with lock(tmp_path / "sweep" / LOCK):
        done = call("train", *COSTS)
    assert done.code == 2
    assert "another process is searching in this folder" in done.err


def test_a_launcher_that_fails_ends_the_search_and_no_trial_is_lost(call, tmp_path, monkeypatch):
    class Fails:
        def launch(self, overrides, initial_job_idx):
            raise RuntimeError("no machine answers")

    with monkeypatch.context() as patch:
        patch.setattr(Plugins, "instantiate_launcher", lambda self, **_: Fails())
        done = call("train", *COSTS, "hydra.sweeper.n_trials=3")
    assert done.code == 1
    assert "RuntimeError: no machine answers" in done.err
    assert [trial.state for trial in read_search(tmp_path / "sweep").trials] == ["running"]
    asked = read_search(tmp_path / "sweep").trials[0].params
    done = call("train", *COSTS, "hydra.sweeper.n_trials=3")
    assert done.code == 0, done.err
    assert "1 to be resumed, 2 new" in done.out
    trials = read_search(tmp_path / "sweep").trials
    assert trials[0].params == asked
    assert [trial.state for trial in trials] == ["complete"] * 3


# --- searches that train ---


@pytest.mark.integration
def test_the_objective_is_the_mean_over_seeds_of_what_is_monitored(call, tmp_path):
    settings = ("monitor=val/loss", "optimizer.lr=0.01,1e30", "hydra.sweeper.seeds=[0,1]", "hydra.sweeper.trials_at_once=2")
    done = call("train", *TRAINED, *settings)
    assert done.code == 1
    root = tmp_path / "sweep"
    search = read_search(root)
    assert (search.metric, search.direction) == ("val/loss", "minimize")
    complete = [trial for trial in search.trials if trial.state == "complete"]
    failed = [trial for trial in search.trials if trial.state == "failed"]
    assert complete
    assert failed
    assert len(complete) + len(failed) == 4
    for trial in complete:
        assert trial.value == fmean(read(root / folder)["metrics"]["val/loss"] for folder in trial.folders)
    assert all("the loss" in trial.reason and trial.params == {"optimizer.lr": 1e30} for trial in failed)
    assert search.ranked[0].params == {"optimizer.lr": 0.01}
    assert starts(root, [run.folder for run in read_plan(root).runs]) == {run.folder: 1 for run in read_plan(root).runs}
    assert "Best so far" in (root / "report.html").read_text()
    assert (root / "figures" / "search_best.svg").is_file()
    again = call("train", *TRAINED, *settings)
    assert again.code == 1  # as there are failed runs
    assert told(root) == [(t.number, t.state, t.params, t.values, t.value) for t in search.trials]


@pytest.mark.integration
def test_a_trial_that_is_interrupted_is_resumed(call, tmp_path, interrupted_at):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *TRAINED, "hydra.sweeper.n_trials=2").code == 130
    root = tmp_path / "sweep"
    (trial,) = read_search(root).trials
    assert trial.state == "running"
    done = call("train", *TRAINED, "hydra.sweeper.n_trials=2")
    assert done.code == 0, done.err
    assert "1 to be resumed, 1 new" in done.out
    assert read_search(root).trials[0].params == trial.params
    assert starts(root, trial.folders) == dict.fromkeys(trial.folders, 1)


@pytest.mark.e2e
def test_killed_at_any_moment_it_ends_with_the_same_trials(tmp_path, call, program):
    arguments = (*TRAINED, "hydra.sweeper.seeds=[0,1]", "hydra.sweeper.trials_at_once=2")
    done = call("train", *arguments, "hydra.sweep.dir=undisturbed")
    assert done.code == 0, done.err
    root = tmp_path / "sweep"

    def runs(state):
        files = list(root.glob("*/result.json"))
        return sum(json.loads(file.read_text())["state"] == state for file in files)

    moments = [
        (root / FILE).exists,
        lambda: runs("running") == 1,
        lambda: runs("finished") == 2,
        lambda: runs("finished") == 4 and (root / FILE).exists(),
        lambda: runs("finished") == 6,
    ]
    finished = {}
    for moment in moments:
        with started(*arguments, "hydra.launcher.processes=1", cwd=tmp_path) as process:
            until(lambda moment=moment, process=process: moment() or process.poll() is not None)
            kill(process)
        files = [file for file in root.glob("*/result.json") if json.loads(file.read_text())["state"] == "finished"]
        now = {file: file.read_bytes() for file in files}
        assert now.items() >= finished.items()  # nothing finished is lost or done again
        finished = now
    done = program("train", *arguments, "hydra.launcher.processes=1", cwd=tmp_path)
    assert done.code == 0, done.err
    assert told(root) == told(tmp_path / "undisturbed")
    folders = [folder for trial in read_search(root).trials for folder in trial.folders]
    assert len(folders) == len(set(folders)) == 8
    assert {folder.parent.name for folder in root.glob("*/result.json")} == set(folders)


# --- pruning ---


def test_means_are_over_the_seeds_that_have_reached_an_epoch():
    assert mean_by_epoch([{1: 0.5, 2: 0.7}, {1: 0.1}, {}]) == {1: 0.3, 2: 0.7}


def test_a_trial_below_the_median_of_others_is_asked_to_stop(tmp_path, trials):
    found = trials(pruner="median")
    for index in range(5):
        trial = found.ask()
        assert not found.report(trial.number, {1: 0.1 * index, 2: 0.8})
        found.tell(trial, Outcome({0: 0.8}))
    worse, better = found.ask().number, found.ask().number
    begin_pruning(tmp_path)
    for run, value in {"a-seed0": 0.05, "a-seed1": 0.25, "b-seed0": 0.3}.items():
        report_value(tmp_path, run, 1, value)
    watch(found, tmp_path, {worse: ["a-seed0", "a-seed1"], better: ["b-seed0"]})
    assert "did worse than others (median)" in reason_to_stop(tmp_path, "a-seed0")
    assert reason_to_stop(tmp_path, "a-seed1") == reason_to_stop(tmp_path, "a-seed0")
    assert reason_to_stop(tmp_path, "b-seed0") is None


def test_reports_are_read_while_they_are_written_and_are_gone_afterwards(tmp_path):
    report_value(tmp_path, "a", 1, 0.5)  # no search is at work
    assert reported_values(tmp_path, "a") == {}
    begin_pruning(tmp_path)
    for epoch, value in [(1, 0.5), (2, 0.25), (2, 0.75)]:
        report_value(tmp_path, "a", epoch, value)
    with (tmp_path / ".pruning" / "a.values").open("a") as file:
        file.write("3 0.12")
    assert reported_values(tmp_path, "a") == {1: 0.5, 2: 0.75}
    report_value(tmp_path, "a", 4, 0.125)  # after a line that was half written when its process was killed
    assert reported_values(tmp_path, "a") == {1: 0.5, 2: 0.75, 3: 0.12, 4: 0.125}
    with (tmp_path / ".pruning" / "a.values").open("ab") as file:
        file.write(b"5 \xff\n6\n7 0.1 0.2\n")
    assert reported_values(tmp_path, "a") == {1: 0.5, 2: 0.75, 3: 0.12, 4: 0.125}
    assert is_pruning(tmp_path)
    end_pruning(tmp_path)
    assert not is_pruning(tmp_path)
    assert reason_to_stop(tmp_path, "a") is None


def test_a_pruned_run_is_counted_and_not_done_again(call, tmp_path, monkeypatch):
    from convexp.training.prune_callback import StopWhenPruned

    report = StopWhenPruned.on_validation_end

    def stopped_by_the_third_epoch(self, trainer, module):
        report(self, trainer, module)
        if trainer.current_epoch == 1 and "lr0.02" not in self.run:
            assert reported_values(self.root, self.run).keys() == {1, 2}
            ask_to_stop(self.root, self.run, "as the test says so")

    monkeypatch.setattr(StopWhenPruned, "on_validation_end", stopped_by_the_third_epoch)
    settings = (*TRAINED, "trainer.max_epochs=4", "optimizer.lr=0.02,0.01", "hydra.sweeper.pruner=median")
    done = call("train", *settings)
    assert done.code == 0, done.err
    root = tmp_path / "sweep"
    trials = read_search(root).trials
    assert {trial.state for trial in trials} == {"complete", "pruned"}
    for trial in trials:
        record = read(root / trial.folders[0])
        if trial.state == "pruned":
            assert trial.params == {"optimizer.lr": 0.01}
            assert trial.value is None
            assert trial.reason == record["error"] == "pruned after epoch 2, as the test says so"
            assert record["state"] == "pruned"
        else:
            assert record["metrics"]["epochs"] == 4
    assert "pruned" in (root / "report.html").read_text()
    assert not is_pruning(root)
    assert call("train", *settings).code == 0
    folder = next(trial.folders[0] for trial in trials if trial.state == "pruned")
    assert starts(root, [folder]) == {folder: 1}
    resumed = call("train", f"resume=sweep/{folder}")  # by hand it goes on to its end
    assert resumed.code == 0, resumed.err
    assert read(root / folder)["state"] == "finished"
    assert read(root / folder)["metrics"]["epochs"] == 4
    assert starts(root, [folder]) == {folder: 1}
