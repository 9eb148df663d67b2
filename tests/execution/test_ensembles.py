"""The mean over runs of one configuration, evaluated as a run is: convexp-eval runs=[...] ensemble=true."""

import json

import pytest
from conftest import read

WIRING = ("model=local",)


@pytest.fixture
def three(finished_run):
    """Folders of runs that differ in the seed alone."""
    return [finished_run(*WIRING, f"seed={seed}", folder=f"net-seed{seed}") for seed in (2, 0, 1)]


def contents(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def ensembles(folder):
    """Metrics by the seeds of the members."""
    return {tuple(each["seeds"]): each["metrics"] for each in json.loads((folder / "ensemble.json").read_text())["ensembles"]}


def test_the_ensemble_of_one_run_is_that_run_to_the_last_bit(call, three):
    before = [contents(folder) for folder in three]
    done = call("evaluate", f"runs=[{','.join(map(str, three))}]", "ensemble=true", "folder=mean")
    assert done.code == 0, done.err
    found = ensembles(three[0].parent / "mean")
    assert list(found) == [(0,), (1,), (2,), (0, 1), (0, 1, 2)]
    for folder in three:
        record = read(folder)
        noted = {name: value for name, value in record["metrics"].items() if name.startswith(("val/", "test/", "probe/"))}
        measured = found[(record["seed"],)]
        same = {name: value for name, value in measured.items() if name in noted}
        assert same == {name: noted[name] for name in same}
        assert {"val/loss", "test/acc", "test/loss", "probe/shift_map/mean", "probe/consistency/all"} <= same.keys()
    assert found[(0, 1, 2)]["test/loss"] < max(found[(seed,)]["test/loss"] for seed in range(3))  # convex in the outputs
    assert [contents(folder) for folder in three] == before
    assert {"members.png", "members.svg", "probes"} <= {file.name for file in (three[0].parent / "mean").iterdir()}


def test_the_order_of_the_runs_does_not_matter(call, three):
    for name, order in (("one", three), ("other", three[::-1])):
        done = call("evaluate", f"runs=[{','.join(map(str, order))}]", "ensemble=true", f"folder={name}", "members=[2,3]")
        assert done.code == 0, done.err
    one, other = (ensembles(three[0].parent / name) for name in ("one", "other"))
    assert one == other
    assert list(one) == [(0, 1), (0, 1, 2)]


def test_probes_of_layers_do_not_apply_and_results_lie_beside_the_runs(call, three):
    done = call(
        "evaluate",
        "runs='net-seed*'",
        "ensemble=true",
        "members=[3]",
        "probes=[sharing_index,accounting,feature_maps,equivariance]",
    )
    assert done.code == 0, done.err
    for probe in ("sharing_index", "accounting"):
        assert f"{probe} skipped: is about the layers of one network, and an ensemble has only those of its members" in done.out
    assert "feature_maps skipped: the network has no feature maps" in done.out
    assert "equivariance skipped" not in done.out
    found = ensembles(three[0].parent / "ensembles" / "net")
    assert list(found) == [(0, 1, 2)]
    assert found[(0, 1, 2)]["probe/equivariance/logits/full"] > 0
    assert not any("stages" in name for name in found[(0, 1, 2)])


def test_of_a_sweep_over_the_seed_alone_it_has_the_name_of_the_sweep(call, finished_run, tmp_path):
    for seed in (0, 1):
        finished_run(*WIRING, f"seed={seed}", folder=f"sweep/seed{seed}")
    done = call("evaluate", "runs='sweep/seed*'", "ensemble=true", "members=[2]")
    assert done.code == 0, done.err
    assert [folder.name for folder in (tmp_path / "sweep" / "ensembles").iterdir()] == ["sweep"]


def test_without_ensemble_each_run_is_evaluated_by_itself(call, three):
    before = contents(three[0].parent)
    done = call("evaluate", "runs=[net-seed0,net-seed2]")
    assert done.code == 0, done.err
    assert contents(three[0].parent) == before
    assert [line for line in done.out.splitlines() if line.endswith(":")] == ["net-seed0:", "net-seed2:"]
    assert done.out.count("(as noted)") == 8


def test_what_makes_no_ensemble_is_refused_in_a_line(call, three, finished_run):
    other = finished_run("model=conv", "seed=1", folder="other")
    finished_run(*WIRING, "seed=5", "data.split_seed=5", folder="split5")  # as data.split_seed=${seed} would have it
    before = contents(three[0].parent)
    for arguments, message in {
        ("runs=[net-seed0,other]", "ensemble=true"): "runs: differ in model.name, model.wiring._target_",
        ("runs=[net-seed0,split5]", "ensemble=true"): "runs: differ in data.split_seed",
        ("runs=[net-seed0,net-seed0]", "ensemble=true"): "runs: have seed=0 twice; name each run once",
        ("runs='net-*'", "ensemble=true", "members=[1,4]"): "members=[1, 4]: should be whole numbers from 1 to 3",
        ("runs='net-*'", "ensemble=true", "members=[0]"): "members.0=0: should be greater than 0",
        ("runs='net-*'", "ensemble=true", "mean_of=logits"): "mean_of=logits: should be 'outputs' or 'probabilities'",
        ("runs='net-*'", "ensemble=true", "folder=net-seed1/mean"): "folder=net-seed1/mean: lies within a run",
        ("runs='none-*'", "ensemble=true"): "runs=none-*: no folder of this pattern holds a run",
        ("runs='**net'", "ensemble=true"): "runs=**net: ",
        ("runs=7", "ensemble=true"): "runs=7: there is no such folder",
        ("runs=other/checkpoints", "ensemble=true"): "runs=other/checkpoints: holds no finished run",
        ("run=other", "ensemble=true"): "ensemble=true: needs several runs",
        ("run=other", "runs=other"): "run: names one run and runs several; give one of the two",
        ("run=other", "members=[1]"): "members=[1]: is of an ensemble; add ensemble=true",
        ("run=other", "mean_of=probabilities"): "mean_of=probabilities: is of an ensemble; add ensemble=true",
    }.items():
        done = call("evaluate", *arguments)
        assert done.code == 2
        assert done.err.startswith(f"convexp-eval: {message}"), done.err
        assert done.err.count("\n") == 1
    assert contents(three[0].parent) == before
    assert not (other.parent / "ensembles").exists()
