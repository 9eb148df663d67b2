"""The numbers of a checkpoint: the same code after a training and for convexp-eval."""

import logging
import warnings
from pathlib import Path
from textwrap import shorten

import pytorch_lightning as pl
import torch

from convexp import build
from convexp.config import Config
from convexp.data import Dataset, loader
from convexp.errors import ConfigError
from convexp.training.callbacks import BEST
from convexp.training.module import Classifier

THREADS = torch.get_num_threads()


def quiet() -> None:
    """Lightning explains itself at length; what matters of it is said here."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")  # there is nothing to wait for in memory
    warnings.filterwarnings("ignore", message=".*log_every_n_steps.*")  # about small data sets
    warnings.filterwarnings("ignore", message=".*requested to overfit.*")  # and get what was requested
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated.*")  # Lightning's use of torch


def prepare_torch(config: Config) -> None:
    """Check the device and set the number of threads; Lightning keeps quiet from now on.

    Raises:
        ConfigError: if the configuration asks for a device that torch does not see.
    """
    quiet()
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


def evaluate(module: Classifier, data: Dataset, config: Config) -> dict[str, float]:
    """``val/loss``, ``val/acc``, ``test/loss`` and ``test/acc`` of the module as it is; the same code for train and eval."""
    trainer = pl.Trainer(
        accelerator=config.trainer.accelerator,
        devices=1,
        precision=config.trainer.precision,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    metrics: dict[str, float] = {}
    metrics |= trainer.validate(module, loader(data.val, config.data.eval_batch_size), verbose=False)[0]
    metrics |= trainer.test(module, loader(data.test, config.data.eval_batch_size), verbose=False)[0]
    return {name: float(value) for name, value in metrics.items()}


def reevaluate(config: Config, folder: Path) -> dict[str, float]:
    """Validation and test metrics of the best checkpoint in ``folder``, from nothing but the folder and the data.

    Raises:
        ConfigError: if the checkpoint cannot be read.
    """
    prepare_torch(config)
    data = build.dataset(config)
    module = Classifier(build.network(config, data)[0])
    try:
        load_weights(module, folder / "checkpoints" / BEST)
    except Exception as error:
        raise ConfigError(
            f"{folder / 'checkpoints' / BEST}: cannot be read ({type(error).__name__}: {one_line(error)})"
        ) from None
    return evaluate(module, data, config)


def one_line(error: Exception) -> str:
    """What an error says, in one line of 300 characters at most."""
    return shorten(str(error), 300)
