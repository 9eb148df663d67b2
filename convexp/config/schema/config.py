"""The whole configuration of a run: every setting, its type and its range. Its values are in the YAML files in ``conf/``."""

from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, NonNegativeInt, Tag

from convexp.config.schema.data import Data
from convexp.config.schema.model import SkeletonModel
from convexp.config.schema.monitors import Direction, direction
from convexp.config.schema.network import NetworkModel
from convexp.config.schema.optimizer import Optimizer
from convexp.config.schema.section import Section, Target
from convexp.config.schema.study import Study
from convexp.config.schema.task import Task
from convexp.config.schema.training import Trainer
from convexp.records.identity import LOCATIONS, OUTSIDE_IDENTITY, drop_added_later
from convexp.records.renamed import first_named

SKELETON, NETWORK = "model[skeleton]", "model[network]"  # messages leave out parts of a location that hold a bracket


def _kind_of_model(value: Any) -> str:
    is_network = "network" in value if isinstance(value, dict) else isinstance(value, NetworkModel)
    return NETWORK if is_network else SKELETON


Model = Annotated[
    Annotated[SkeletonModel, Tag(SKELETON)] | Annotated[NetworkModel, Tag(NETWORK)], Discriminator(_kind_of_model)
]


class Config(Section):
    """The configuration of one run."""

    name: str
    model: Model
    data: Data
    task: Task = Field(default_factory=Task.of_older_versions)
    optimizer: Optimizer
    scheduler: Target | None = None
    trainer: Trainer
    augment: dict[str, Target] | None = None
    probes: dict[str, Target] | None = None
    logger: dict[str, Target] | None = None
    callbacks: dict[str, Target] | None = None
    study: Study | None
    seed: Annotated[int, Field(ge=0, lt=2**32)]  # torch's CPU generator takes no larger one
    probe_every: NonNegativeInt
    match: str = Field(pattern=r"^(units|params:[1-9][0-9]*|flops:[1-9][0-9]*)$")
    ema: Annotated[float, Field(ge=0, lt=1)] | None = None
    monitor: str = Field(min_length=1)
    monitor_mode: Direction | None = None  # null: known from the metric's name
    compile: bool
    outputs: str
    resume: str | None
    data_root: str | None = None
    pythonpath: list[str] | None = None
    on_failure: Literal["continue", "stop"]
    only_costs: bool
    dry_run: bool = Field(default=False, exclude=True)  # these two say what the command does
    reuse: bool = Field(default=False, exclude=True)
    playground: bool = True

    @property
    def improvement(self) -> Direction:
        """``"max"`` if a larger monitored value is better, ``"min"`` if a smaller one is."""
        return self.monitor_mode or direction(self.monitor) or "min"

    @property
    def skeleton(self) -> SkeletonModel | None:
        """The section ``model`` if it describes a skeleton; None if it names another network."""
        return self.model if isinstance(self.model, SkeletonModel) else None

    @property
    def network_outputs(self) -> int:
        """Number of outputs that the network has for each image."""
        return self.data.classes if self.task.outputs is None else self.task.outputs

    @property
    def outputs_are_scores(self) -> bool:
        """Whether the network's outputs are scores of the classes."""
        return self.task.outputs is None

    def targets(self) -> dict[str, Target]:
        """Every ``_target_`` of the configuration, by the setting that holds it, such as ``probes.shift_map``."""
        found: dict[str, Target] = {
            **self.model.targets(),
            "data.source": self.data.source,
            "task": self.task,
            "optimizer": self.optimizer,
        }
        if self.scheduler is not None:
            found["scheduler"] = self.scheduler
        for group in ("augment", "probes", "logger", "callbacks"):
            found |= {f"{group}.{name}": target for name, target in (getattr(self, group) or {}).items()}
        return found

    def target_names(self) -> list[str]:
        """What every ``_target_`` names: classes and functions, such as ``convexp.layers.Conv2d``."""
        return [target.target for target in self.targets().values()]

    def identity(self) -> dict[str, Any]:
        """The settings that change the result of the run: all but where it is written and how it is watched."""
        everything = first_named(self.model_dump(by_alias=True))
        source = everything["data"]["source"]
        source |= {k: str(Path(source[k]).expanduser().resolve()) for k in ("root", "file") if k in source}
        for setting in (*OUTSIDE_IDENTITY, *(LOCATIONS if "download" in source else ())):
            *sections, name = setting.split(".")
            reduce(getitem, sections, everything).pop(name, None)
        drop_added_later(everything)
        # Both are applied in their order, which the hash of a mapping does not know.
        if everything.get("augment"):
            everything["augment"] = _in_order(everything["augment"])
        groups = everything["optimizer"].get("groups") or {}
        if [*groups] != sorted(groups):  # runs of earlier versions with groups in this order keep their identity
            everything["optimizer"]["groups"] = _in_order(groups)
        return everything


def _in_order(section: dict[str, Any]) -> list[Any]:
    return [[name, value] for name, value in section.items()]


OF_THE_COMMAND = tuple(name for name, field in Config.model_fields.items() if field.exclude)  # no run has or records them
