"""Loggers for Weights & Biases, MLflow, Aim and ClearML, each of which is an optional dependency."""

from pathlib import Path

from pytorch_lightning.loggers import Logger, MLFlowLogger, WandbLogger

from convexp.files.locks import lock
from convexp.tracking.clearml_logger import ClearMLLogger


def close(logger: Logger, failed: bool) -> None:
    """End the tracked run.

    A sweep starts its next run in the same process, and W&B and ClearML would log it to the run before unless that is finished.

    Args:
        logger: Logger of the run.
        failed: Whether the run failed or was interrupted.
    """
    logger.finalize("failed" if failed else "success")
    if end := getattr(logger, "end_run", None):
        end(failed)
    if isinstance(logger, WandbLogger):
        logger.experiment.finish(exit_code=int(failed))


def wandb(folder: Path, project: str, offline: bool, purge_step: int | None) -> Logger:
    """Make a logger for Weights & Biases.

    Args:
        folder: Folder of the run, whose name becomes the name of the run.
        project: Name of the project.
        offline: Whether to keep the logs in ``folder`` instead of sending them.
        purge_step: Ignored: the tracker keeps count of the steps itself.
    """
    del purge_step
    return WandbLogger(name=folder.name, save_dir=folder, project=project, offline=offline)


def mlflow(folder: Path, experiment: str, tracking_uri: str, purge_step: int | None) -> Logger:
    """Make a logger for MLflow.

    Args:
        folder: Folder of the run, whose name becomes the name of the run.
        experiment: Name of the experiment.
        tracking_uri: Address of the tracking server, or of a database such as ``sqlite:///mlflow.db``.
        purge_step: Ignored: the tracker keeps count of the steps itself.
    """
    del purge_step
    if tracking_uri.startswith("sqlite:///"):
        Path(tracking_uri.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
    return MLFlowLogger(experiment_name=experiment, run_name=folder.name, tracking_uri=tracking_uri)


def aim(folder: Path, experiment: str, repo: str, purge_step: int | None) -> Logger:
    """Make a logger for Aim, which observes neither the terminal nor the machine.

    Args:
        folder: Folder of the run, whose name becomes the name of the run.
        experiment: Name of the experiment.
        repo: Folder of Aim's repository, which is made if there is none, or the address of a server, ``aim://HOST:PORT``.
        purge_step: Ignored: the tracker keeps count of the steps itself.
    """
    del purge_step
    from convexp.tracking.aim_logger import RunInAim

    if "://" not in repo:
        _make_repository(Path(repo))
    return RunInAim(
        repo=repo,
        experiment=experiment,
        run_name=folder.name,
        system_tracking_interval=None,
        log_system_params=False,
        capture_terminal_logs=False,
        context_prefixes={},  # the names of the metrics stay as they are
    )


def clearml(folder: Path, project: str, offline: bool, purge_step: int | None) -> Logger:
    """Make a logger for ClearML.

    Args:
        folder: Folder of the run, whose name becomes the name of the task.
        project: Name of the project.
        offline: Whether to keep the logs in ``folder`` instead of sending them.
        purge_step: Ignored: the tracker keeps count of the steps itself.
    """
    del purge_step
    return ClearMLLogger(folder, project, offline)


def _make_repository(folder: Path) -> None:
    """Make Aim's repository in a folder unless it is there; runs that start at the same time wait for the first."""
    from aim import Repo  # pyright: ignore

    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder / ".aim.lock"):
        if not Repo.exists(str(folder)):
            Repo.from_path(str(folder), init=True)
