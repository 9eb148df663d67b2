"""What the launcher and its connection to Ray, a process of its own, tell each other."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from convexp.machine.torch_variables import TORCH_VARIABLES

PREFIXES = ("CONVEXP_", "WANDB_", "MLFLOW_")
OF_LIBRARIES = ("HYDRA_FULL_ERROR", *TORCH_VARIABLES)  # set by convexp.cli.application, for all its processes
OF_TERMINAL = ("COLUMNS",)
OF_MACHINE = ("CONVEXP_HOST",)  # names one machine, and never another


@dataclass(frozen=True)
class Place:
    """Where a sweep was started, as far as its runs have to be in the same place.

    Attributes:
        folder: The working directory.
        import_path: Where modules are searched.
        environment: Environment variables.
    """

    folder: str
    import_path: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Job:
    """A run for Ray.

    Attributes:
        number: Index of the job.
        name: Name of its folder, by which Ray's own tools list it.
        attempt: How often it was started before.
        config: The configuration of the run, pickled.
    """

    number: int
    name: str
    attempt: int
    config: bytes


@dataclass(frozen=True)
class Ready:
    """Ray is there.

    Attributes:
        nodes: What each node has, such as ``{"CPU": 8.0, "GPU": 1.0}``.
    """

    nodes: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Failed:
    """There is no Ray.

    Attributes:
        reason: Why, in one line.
    """

    reason: str


@dataclass(frozen=True)
class Lost:
    """A run that has not come to its end.

    Attributes:
        number: Index of the job.
        reason: Why, in one line.
        again: Whether it may come to its end elsewhere: its process or its node was lost.
    """

    number: int
    reason: str
    again: bool


@dataclass(frozen=True)
class Done:
    """A run that has come to its end.

    Attributes:
        number: Index of the job.
        answer: What ``convexp.engines.ray.task.do_run`` returned.
    """

    number: int
    answer: bytes


CANCEL = "cancel"  # asks to interrupt all runs


def place_of_this_process(names: list[str]) -> Place:
    """Return the place of this process.

    Args:
        names: Names of further environment variables that the runs need.
    """
    wanted = (*OF_LIBRARIES, *OF_TERMINAL, *names)
    found = {name: value for name, value in os.environ.items() if name in wanted or name.startswith(PREFIXES)}
    environment = {name: value for name, value in found.items() if name not in OF_MACHINE}
    return Place(str(Path.cwd()), [*sys.path], environment)
