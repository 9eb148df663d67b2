"""Experiment trackers other than TensorBoard, as Lightning has them; each is an extra of the package."""

from pathlib import Path

from pytorch_lightning.loggers import Logger, MLFlowLogger, WandbLogger


def close(logger: Logger, failed: bool) -> None:
    """End the tracked run: a sweep starts the next one in the same process, and W&B would go on with the old one."""
    logger.finalize("failed" if failed else "success")
    if isinstance(logger, WandbLogger):
        logger.experiment.finish(exit_code=int(failed))


def wandb(folder: Path, project: str, offline: bool, purge_step: int | None) -> Logger:
    """Weights & Biases; the run is named as its folder."""
    del purge_step  # the tracker counts for itself
    return WandbLogger(name=folder.name, save_dir=folder, project=project, offline=offline)


def mlflow(folder: Path, experiment: str, tracking_uri: str, purge_step: int | None) -> Logger:
    """MLflow; the run is named as its folder."""
    del purge_step  # the tracker counts for itself
    if tracking_uri.startswith("sqlite:///"):
        Path(tracking_uri.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
    return MLFlowLogger(experiment_name=experiment, run_name=folder.name, tracking_uri=tracking_uri)
