"""Lightning's loggers for Weights & Biases and MLflow, each of which is an optional dependency."""

from pathlib import Path

from pytorch_lightning.loggers import Logger, MLFlowLogger, WandbLogger


def close(logger: Logger, failed: bool) -> None:
    """End the tracked run.

    A sweep starts its next run in the same process, and W&B would log it to the run before unless that is finished.

    Args:
        logger: Logger of the run.
        failed: Whether the run failed or was interrupted.
    """
    logger.finalize("failed" if failed else "success")
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
