"""A run is one process on one device, whatever the environment says of ranks and clusters."""

import pytest
from conftest import read
from pytorch_lightning.utilities.rank_zero import rank_zero_only

ENVIRONMENTS = {
    "torchrun": {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "GROUP_RANK": "0", "LOCAL_WORLD_SIZE": "2"},
    "Slurm": {"SLURM_PROCID": "3", "SLURM_LOCALID": "3", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "j"},
    "LSF": {"LSB_JOBID": "7", "LSB_DJOB_RANKFILE": "nowhere", "JSM_NAMESPACE_RANK": "1", "JSM_NAMESPACE_SIZE": "2"},
}


@pytest.fixture
def environment(request, monkeypatch):
    """Variables of a cluster, and the rank that Lightning would have read from them when it was imported."""
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    return request.param


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS, indirect=True)
def test_ranks_and_clusters_change_nothing(environment, small_run, call):
    folder = small_run()
    assert read(folder)["state"] == "finished"
    assert any(file.stat().st_size > 1000 for file in folder.glob("events.out.tfevents.*"))
    rank_zero_only.rank = 1  # as in a process of its own
    done = call("evaluate", f"run={folder}")
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4


@pytest.mark.parametrize("name", ["PL_TRAINER_LIMIT_TRAIN_BATCHES", "PL_TRAINER_ACCUMULATE_GRAD_BATCHES"])
def test_variables_that_would_change_a_run_unnoticed_are_refused(name, call, monkeypatch, tmp_path):
    monkeypatch.setenv(name, "2")
    for arguments in ([], ["-m", "seed=0,1"]):
        done = call("train", *arguments)
        assert done.code == 2
        assert f"{name}=2" in done.err
        assert done.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("RANK", "abc"), ("RANK", ""), ("SLURM_PROCID", "1.5")])
def test_ranks_that_are_no_numbers_are_said_before_lightning_reads_them(name, value, call, monkeypatch, tmp_path):
    monkeypatch.setenv(name, value)
    done = call("train")
    assert done.code == 2
    assert done.err.startswith(f"convexp-train: {name}={value}: should be a whole number")
    assert list(tmp_path.iterdir()) == []
