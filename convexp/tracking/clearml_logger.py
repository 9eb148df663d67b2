"""The logger for ClearML, for which Lightning has none."""

import os
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

CACHE = "CLEARML_CACHE_DIR"  # where ClearML keeps the tasks that it does not send


class ClearMLLogger(Logger):
    """Reports a run as a task of ClearML.

    The metric ``probe/shift_map/mean`` is the series ``mean`` of the plot ``probe/shift_map``. The settings are
    hyperparameters, and the group of the runs that differ only in the seed is a tag as well.

    Args:
        folder: Folder of the run, whose name becomes that of the task.
        project: Name of the project.
        offline: Whether to keep the task in ``folder`` instead of sending it; the environment variable ``CLEARML_CACHE_DIR``
            names another folder.
    """

    def __init__(self, folder: Path, project: str, offline: bool) -> None:
        super().__init__()
        from clearml import Task  # pyright: ignore

        self.own_cache = offline and not os.environ.get(CACHE)
        if self.own_cache:
            os.environ[CACHE] = str(folder.absolute() / "clearml")
        Task.set_offline(offline)
        self.task: Any = Task.init(
            project_name=project,
            task_name=folder.name,
            reuse_last_task_id=False,
            auto_connect_arg_parser=False,
            auto_connect_frameworks=False,  # else TensorBoard's scalars and pictures come a second time
            auto_connect_streams=False,
            auto_resource_monitoring=False,
        )

    @property
    def name(self) -> str:
        """Return the name of the logger."""
        return "clearml"

    @property
    def version(self) -> str:
        """Return the number of the task."""
        return str(self.task.id)

    def log_hyperparams(self, params: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        """Add settings to those of the task."""
        self.task.update_parameters({f"General/{name}": value for name, value in params.items()})
        if group := params.get("group"):
            self.task.add_tags([str(group)])

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Report metrics at ``step``."""
        reports = self.task.get_logger()
        for name, value in metrics.items():
            title, _, series = name.rpartition("/")
            reports.report_scalar(title or name, series, value, step or 0)

    def save(self) -> None:
        """Hand over what has been reported so far."""
        self.task.flush()

    def end_run(self, failed: bool) -> None:
        """End the task, so that the next run of this process has one of its own."""
        self.task.flush(wait_for_uploads=True)
        if failed:
            self.task.mark_failed(status_reason="the run failed or was interrupted")
        self.task.close()
        if self.own_cache:
            os.environ.pop(CACHE, None)
