"""Weights & Biases and MLflow, for real, where the extras are installed."""

import pytest
from conftest import SMALL, read


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own
def test_mlflow_gets_the_final_metrics(program, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    sweep = ("-m", *SMALL, "logger=[csv,mlflow]", "seed=0,1", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${seed}")
    done = program("train", *sweep, cwd=tmp_path)
    assert done.code == 0, done.err
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/outputs/mlflow.db")
    runs = mlflow.search_runs(experiment_names=["convexp"])
    noted = {read(tmp_path / "sweep" / seed)["metrics"]["test/acc"] for seed in "01"}
    assert set(runs["metrics.test/acc"]) == noted
    assert set(runs["params.seed"]) == {"0", "1"}
    assert set(runs["status"]) == {"FINISHED"}


def test_wandb_offline_makes_a_run_for_each(program, tmp_path):
    pytest.importorskip("wandb")
    sweep = ("-m", *SMALL, "logger=[csv,wandb]", "seed=0,1", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${seed}")
    done = program("train", *sweep, cwd=tmp_path)
    assert done.code == 0, done.err
    assert all(list((tmp_path / "sweep" / seed / "wandb").glob("offline-run-*/*.wandb")) for seed in "01")
