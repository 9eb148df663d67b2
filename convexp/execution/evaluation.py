"""The numbers of a checkpoint, and how it is loaded and probed again."""

import logging
import warnings
from pathlib import Path

import pytorch_lightning as pl
import torch
from PIL import Image
from torch import Tensor

from convexp.config import Config
from convexp.data import Dataset, loader
from convexp.errors import ConfigError, one_line
from convexp.execution import build
from convexp.execution.show import show_numbers
from convexp.files.atomic import atomic_write
from convexp.files.json_files import write_json
from convexp.probes.numbers import describe_number
from convexp.probes.runner import measure, probe_sample
from convexp.records.encode import plain
from convexp.terminal import console
from convexp.training.checkpoints import BEST
from convexp.training.module import Classifier
from convexp.training.trainer import one_device_trainer, set_rank_zero

THREADS = torch.get_num_threads()


def quiet() -> None:
    """Lightning explains itself at length; what matters of it is said here."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")  # there is nothing to wait for in memory
    warnings.filterwarnings("ignore", message=".*log_every_n_steps.*")  # about small data sets
    warnings.filterwarnings("ignore", message=".*requested to overfit.*")  # and get what was requested
    warnings.filterwarnings("ignore", message=".*`srun` command is available.*")  # a run is one process
    warnings.filterwarnings("ignore", message=".*AMP with fp16 is not supported on CPU.*")  # the result notes what ran
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated.*")  # Lightning's use of torch


def prepare_torch(config: Config) -> None:
    """Check the device and set the number of threads; Lightning keeps quiet and is the only process from now on.

    Raises:
        ConfigError: if the configuration asks for a device that torch does not see.
    """
    quiet()
    set_rank_zero()
    check_device(config)
    torch.set_num_threads(config.trainer.threads or THREADS)


def check_device(config: Config) -> None:
    """Raise a ConfigError if the configuration asks for a GPU that torch does not see."""
    if config.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("trainer.accelerator=gpu: torch sees no GPU here; use trainer=cpu or trainer=auto")
    if config.trainer.accelerator == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("trainer.accelerator=mps: torch sees no Apple GPU here; use trainer=cpu or trainer=auto")


def load_weights(module: Classifier, checkpoint: Path) -> None:
    """Weights of a checkpoint, on whatever device the module is."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    module.load_state_dict(state)


def tester(config: Config) -> pl.Trainer:
    """What passes images through a network on the device and in the precision of the run, and writes nothing."""
    return one_device_trainer(config, logger=False, enable_checkpointing=False, enable_progress_bar=False)


def evaluate(module: Classifier, data: Dataset, config: Config) -> dict[str, float]:
    """``val/loss``, ``val/acc``, ``test/loss`` and ``test/acc`` of the module as it is."""
    trainer = tester(config)
    metrics: dict[str, float] = {}
    metrics |= trainer.validate(module, loader(data.val, config.data.eval_batch_size), verbose=False)[0]
    metrics |= trainer.test(module, loader(data.test, config.data.eval_batch_size), verbose=False)[0]
    return {name: float(value) for name, value in metrics.items()}


def restore(config: Config, folder: Path) -> tuple[Classifier, Dataset]:
    """The network of the best checkpoint in ``folder`` and its data, from nothing but the folder and the data.

    Torch's random state is left as it was.

    Raises:
        ConfigError: if the checkpoint cannot be read.
    """
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
        data = build.dataset(config)
        module = Classifier(build.network(config, data))
    try:
        load_weights(module, folder / "checkpoints" / BEST)
    except Exception as error:
        raise ConfigError(
            f"{folder / 'checkpoints' / BEST}: cannot be read ({type(error).__name__}: {one_line(error)})"
        ) from None
    return module, data


def reprobe(module: Classifier, data: Dataset, config: Config, folder: Path) -> None:
    """Measure the module by the probes of ``config``: numbers on the terminal, all of it in ``probes/`` below ``folder``."""
    probes, wanted = build.probes(config), config.trainer.accelerator
    device = torch.device("cuda" if wanted in ("gpu", "auto") and torch.cuda.is_available() else "cpu")
    network, sample = module.network.to(device), probe_sample(data, probes, device)
    target = folder / "probes"
    target.mkdir(exist_ok=True)
    for name, probe in probes.items():
        found, pictures = measure(name, probe, network, sample)
        write_json(target / f"{name}.json", {"settings": (config.probes or {})[name].spec(), **plain(found)})
        save_pictures(pictures, target)
        if found.skipped is not None:
            console.out.print(f"[yellow]{name} skipped[/]: {console.escape(found.skipped)}")
        show_numbers(name, [(k, v, describe_number(type(probe), k)) for k, v in found.numbers.items()])
    console.out.print(f"maps and pictures: {console.escape(console.display_path(target))}/")


def save_pictures(pictures: dict[str, Tensor], folder: Path) -> None:
    """``probe/name`` as ``probe_name.png``."""
    for name, picture in pictures.items():
        with atomic_write(folder / f"{name.replace('/', '_')}.png") as partial:
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(partial, format="png")
