"""The configuration of convexp-eval (conf/eval.yaml)."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PositiveInt

from convexp.config.schema.section import Section


def _text(value: object) -> object:
    return str(value) if type(value) is int else value


Folder = Annotated[str, BeforeValidator(_text)]  # runs of a sweep of Hydra are called 0, 1, 2


class Evaluation(Section):
    """Which runs are evaluated, each alone or all as an ensemble, and by which further probes."""

    run: Folder | None
    runs: Folder | list[Folder] | None
    ensemble: bool
    members: list[PositiveInt] | None
    mean_of: Literal["outputs", "probabilities"]
    folder: Folder | None
    accelerator: Literal["cpu", "gpu", "mps", "auto"] | None
    data_root: str | None
    pythonpath: list[str] | None
    probes: dict[str, Any] | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The settings of the runs that the command line replaces: probes, and the accelerator, if they are given."""
        probes = {"probes": self.probes} if self.probes else {}
        return probes | ({"trainer.accelerator": self.accelerator} if self.accelerator is not None else {})
