"""A run that was trained, opened again from its folder alone.

``open_run`` is the only function of this room that needs the rooms above it; it imports them when it is called, so that results
can be read without torch.
"""

from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convexp.errors import ConfigError
from convexp.runs.inside import check_inside
from convexp.runs.result import Result, read_result
from convexp.runs.saved import read_config

if TYPE_CHECKING:
    from convexp.config import Config
    from convexp.data import Dataset
    from convexp.models import Network

CHECKPOINT = Path("checkpoints", "best.ckpt")


@dataclass(frozen=True)
class OpenedRun:
    """A run to work with in a notebook.

    Attributes:
        folder: of the run.
        config: its configuration, without the loggers and callbacks of its training.
        network: with the weights of the best checkpoint, on the CPU, in evaluation mode; images ``(B, C, H, W)`` from 0 to 255
            (uint8 or float) to logits ``(B, classes)``.
        data: training, validation and test images as the run saw them; ``data.test.first(n)`` are images and labels.
        result: what ``result.json`` holds, empty if that is damaged.
    """

    folder: Path
    config: "Config"
    network: "Network"
    data: "Dataset"
    result: Result


def open_run(run: str | Path, data_root: str | Path | None = None) -> OpenedRun:
    """Open a run: rebuild its network and its data, and load the best checkpoint.

    Nothing is written, no random state and no setting of torch is changed, and code that is not convexp's own is refused as
    ``convexp-eval`` refuses it.

    Example::

        from convexp import runs

        run = runs.open("outputs/runs/NAME")
        images, labels = run.data.test.first(100)
        (run.network(images).argmax(1) == labels).float().mean()

    Args:
        run: the folder of the run.
        data_root: where the data lies now, if it has moved.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, names code it may not name, or the data is not there.
    """
    from convexp.config.places import path

    folder = path("run", run)
    config = trusted_config(folder, "run", data_root)
    from convexp.evaluation import restore

    module, data = restore(config, folder)
    return OpenedRun(folder, config, module.network.eval(), data, read_result(folder) or {})


def trusted_config(
    folder: Path, setting: str, data_root: str | Path | None = None, changes: dict[str, Any] | None = None
) -> "Config":
    """The checked configuration of a run that has a checkpoint, whoever the folder is from; without loggers and callbacks.

    Args:
        folder: of the run.
        setting: what to call it in errors.
        data_root: where the data lies now, if it has moved.
        changes: other values for some settings, which may name what they like.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, names code it may not name, or the data is not there.
    """
    from convexp.config import checked, parsed, trusted

    changes = changes or {}
    saved: dict[str, Any] = read_config(folder, setting, data_root) | {"logger": None, "callbacks": None}
    check_inside(folder)
    trusted(saved | ({"probes": None} if "probes" in changes else {}))
    for key, value in changes.items():
        *sections, name = key.split(".")
        within: Any = reduce(getitem, sections, saved)
        within[name] = value
    config = parsed(saved)
    checked(config if "probes" in changes else config.model_copy(update={"probes": None}))  # the folder's are not measured
    if not (folder / CHECKPOINT).is_file():
        raise ConfigError(
            f"{setting}={folder}: has no {CHECKPOINT}; it trained nothing, or did not get through its first epoch"
        )
    return config
