"""The section ``task``: what the network is trained for."""

from typing import Any

from pydantic import Field, PositiveInt

from convexp.config.schema.monitors import Direction
from convexp.config.schema.section import Target
from convexp.records.identity import ADDED_LATER

CLASSIFICATION = "convexp.training.tasks.classification.Classification"
LOCALISATION = "convexp.training.tasks.localisation.Localisation"
IMITATION = "convexp.training.tasks.imitation.Imitation"
# The metrics of convexp's own tasks; those of others are known once they have been tried.
METRICS = {CLASSIFICATION: ("loss", "acc"), LOCALISATION: ("loss", "distance", "within"), IMITATION: ("loss",)}
TRAINING_METRICS = {CLASSIFICATION: ("loss", "acc"), LOCALISATION: ("loss",), IMITATION: ("loss",)}
OWN_SETTINGS = ("outputs", "monitor", "monitor_mode")  # of the section, and not arguments of the target


class Task(Target):
    """A LightningModule (conf/task/); further settings are arguments of its constructor.

    The outputs of the network are scores of the classes if ``outputs`` is null, and something else if it is a number.
    """

    outputs: PositiveInt | None = None
    monitor: str | None = Field(
        default=None, description="the metric that selects the best checkpoint, if monitor names no other"
    )
    monitor_mode: Direction | None = Field(default=None, description="whether its best value is the largest or the smallest")

    def spec(self) -> dict[str, Any]:
        """The plain mapping, ``_target_`` included, that ``convexp.config.instantiate`` takes."""
        return {name: value for name, value in super().spec().items() if name not in OWN_SETTINGS}

    @classmethod
    def of_older_versions(cls) -> "Task":
        """The task of runs that were written before there were others."""
        return cls.model_validate(ADDED_LATER["task"])

    def logged(self) -> tuple[str, ...] | None:
        """The metrics that are logged in each epoch, ``val/`` first; None if only a trial can tell."""
        if self.target not in METRICS:
            return None
        evaluated = [f"val/{name}" for name in METRICS[self.target]]
        return (*evaluated, *(f"train/{name}" for name in TRAINING_METRICS[self.target]))
