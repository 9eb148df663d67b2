"""The section ``task``: what the network is trained for."""

from typing import Any

from pydantic import PositiveInt

from convexp.config.schema.section import Target

CLASSIFICATION = "convexp.training.tasks.classification.Classification"


class Task(Target):
    """A LightningModule (conf/task/); further settings are arguments of its constructor.

    The outputs of the network are scores of the classes if ``outputs`` is null, and something else if it is a number.
    """

    outputs: PositiveInt | None = None

    def spec(self) -> dict[str, Any]:
        """The plain mapping that ``convexp.config.instantiate`` takes; ``outputs`` is the network's, no argument."""
        return {name: value for name, value in super().spec().items() if name != "outputs"}

    @classmethod
    def of_older_versions(cls) -> "Task":
        """The task of runs that were written before there were others."""
        return cls.model_validate(
            {"_target_": CLASSIFICATION, "_partial_": True, "label_smoothing": 0.0, "class_weights": None}
        )
