"""A run that was trained, opened again from its folder alone."""

from dataclasses import dataclass
from pathlib import Path

from convexp.config import Config
from convexp.config.run_folder import load_run_config
from convexp.config.user_paths import parse_path
from convexp.data import Dataset
from convexp.execution.evaluation import restore
from convexp.models import Network
from convexp.records import RunRecord, read_record


@dataclass(frozen=True)
class OpenedRun:
    """A run to work with in a notebook.

    Attributes:
        folder: of the run.
        config: its configuration, without the loggers and callbacks of its training.
        network: with the weights of the best checkpoint, on the CPU, in evaluation mode; images ``(B, C, H, W)`` from 0 to 255
            (uint8 or float) to logits ``(B, classes)``.
        data: training, validation and test images as the run saw them; ``data.test.first(n)`` are images and labels.
        record: What ``result.json`` holds; None if that is damaged.
    """

    folder: Path
    config: Config
    network: Network
    data: Dataset
    record: RunRecord | None


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
    folder = parse_path("run", run)
    config = load_run_config(folder, "run", data_root)
    module, data = restore(config, folder)
    return OpenedRun(folder, config, module.network.eval(), data, read_record(folder))
