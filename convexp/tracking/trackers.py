"""Loggers for Weights & Biases, MLflow, Aim and ClearML, each of which is an optional dependency."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pytorch_lightning.loggers import Logger

from convexp.files.locks import lock, locked
from convexp.tracking.clearml_logger import ClearMLLogger
from convexp.tracking.kept_names import keep_name, kept_name
from convexp.tracking.mlflow_logger import RunInMLflow
from convexp.tracking.wandb_logger import RunInWandb


def keep(logger: Logger, folder: Path) -> None:
    """Keep what the tracker calls the run in the folder of the run, if the tracker can go on in it later."""
    tracker, name = getattr(logger, "tracker", None), logger.version
    if isinstance(tracker, str) and name is not None:  # Lightning's logger that logs nothing has any attribute, a function
        keep_name(folder, tracker, str(name))


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


def wandb(folder: Path, project: str, offline: bool, purge_step: int | None) -> Logger:
    """Make a logger for Weights & Biases.

    Args:
        folder: Folder of the run, whose name becomes the name of the run.
        project: Name of the project.
        offline: Whether to keep the logs in ``folder`` instead of sending them.
        purge_step: None for a run that starts at the beginning; a resumed one goes on in the same run of the tracker.
    """
    run_id = kept_name(folder, RunInWandb.tracker, purge_step)
    return RunInWandb(name=folder.name, save_dir=folder, project=project, offline=offline, id=run_id)


def mlflow(folder: Path, experiment: str, tracking_uri: str, purge_step: int | None) -> Logger:
    """Make a logger for MLflow.

    Args:
        folder: Folder of the run, whose name becomes the name of the run.
        experiment: Name of the experiment.
        tracking_uri: Address of the tracking server, or of a database such as ``sqlite:///mlflow.db``.
        purge_step: None for a run that starts at the beginning; a resumed one goes on in the same run of the tracker.
    """
    run_id = kept_name(folder, RunInMLflow.tracker, purge_step)
    with _database(tracking_uri):
        logger = RunInMLflow(run_id, experiment_name=experiment, run_name=folder.name, tracking_uri=tracking_uri)
        _ = logger.experiment  # opens it
    return logger


def aim(folder: Path, experiment: str, repo: str, purge_step: int | None) -> Logger:
    """Make a logger for Aim, which observes neither the terminal nor the machine.

    Args:
        folder: Folder of the run, whose name becomes the name of the run.
        experiment: Name of the experiment.
        repo: Folder of Aim's repository, which is made if there is none, or the address of a server, ``aim://HOST:PORT``.
        purge_step: None for a run that starts at the beginning; a resumed one goes on in the same run of the tracker.
    """
    from convexp.tracking.aim_logger import RunInAim

    if "://" not in repo:
        _make_repository(Path(repo))
    return RunInAim(
        run_hash=kept_name(folder, RunInAim.tracker, purge_step),
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
        purge_step: Ignored: a run that is resumed is a new task.
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


def _database(tracking_uri: str) -> AbstractContextManager[object]:
    """A context in which no other run makes MLflow's tables in the same SQLite file; the folder of the file is made."""
    if not tracking_uri.startswith("sqlite:///"):
        return nullcontext()
    file = Path(tracking_uri.removeprefix("sqlite:///")).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    return locked(file.with_name(f".{file.name}.lock"))
