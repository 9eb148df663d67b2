"""Data-parallel training in Lightning: every process has a share of each batch, and all make the steps of one process."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor
from torch.distributed import PrefixStore, Store, distributed_c10d  # pyright: ignore[reportPrivateImportUsage]

from convexp.config import Config
from convexp.data.rng import generator
from convexp.machine.processes import Place
from convexp.training.checkpoint_io import PlainCheckpointIO
from convexp.training.over_processes import part_of_loss, sum_over_processes
from convexp.training.tasks.task import Task

PATIENCE = timedelta(days=7)  # processes wait while rank 0 measures probes; that one has died is noticed in other ways


class PlaceOfRun(ClusterEnvironment):
    """Tells Lightning the place of this process, so that it looks for none in the environment and starts no process.

    Args:
        place: The place.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    @property
    def creates_processes_externally(self) -> bool:
        """Whether somebody else starts the processes."""
        return True

    @property
    def main_address(self) -> str:
        """The address of rank 0; not used, as the process group exists already."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """The port of rank 0; not used."""
        return 0

    @staticmethod
    def detect() -> bool:
        """Whether Lightning should choose this environment by itself."""
        return False

    def world_size(self) -> int:
        """Return the number of processes."""
        return self.place.world_size

    def set_world_size(self, size: int) -> None:
        """Lightning calls this with the number that it has from ``world_size``."""

    def global_rank(self) -> int:
        """Return the number of this process among all."""
        return self.place.rank

    def set_global_rank(self, rank: int) -> None:
        """Lightning calls this with the number that it has from ``global_rank``."""

    def local_rank(self) -> int:
        """Return the number of this process on its machine."""
        return self.place.local_rank

    def node_rank(self) -> int:
        """Return the number of this machine."""
        return self.place.node_rank


class ShareWeightedDDP(DDPStrategy):
    """DDP whose gradient is that of the mean over the whole batch, also if the shares of the processes differ in size.

    A ``Task`` weighs its loss itself. The loss of another module counts as the mean over the images of its share.
    """

    _part: Tensor | None = None  # the factor of this process's loss; None if the module weighs it

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module's ``training_step`` on this process's share of a batch."""
        if not isinstance(self.lightning_module, Task):
            size = torch.tensor(float(len(args[0][0])), device=self.root_device)
            self._part = part_of_loss(size, sum_over_processes(size))
        return super().training_step(*args, **kwargs)

    def backward(self, closure_loss: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the gradient of this process's part of the loss."""
        loss = closure_loss if self._part is None else closure_loss * self._part.to(closure_loss.dtype)
        return super().backward(loss, *args, **kwargs)

    def barrier(self, name: str | None = None, *args: Any, **kwargs: Any) -> None:
        """Wait for all processes, but not after a checkpoint: rank 0 may write one when the others do not know of it."""
        if name != "Trainer.save_checkpoint":
            super().barrier(name, *args, **kwargs)


class OwnRandomness(Callback):
    """Gives a process other random numbers than rank 0 has, for dropout, as a function of seed, rank, epoch and batch.

    The checkpoints hold the random state of rank 0, and the other processes need none to go on with the same bits.

    Args:
        seed: Seed of the run.
        rank: Number of the process, from 1 on.
    """

    def __init__(self, seed: int, rank: int) -> None:
        self.key = (seed, "rank", rank)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Seed torch."""
        torch.manual_seed(generator(*self.key, trainer.current_epoch, batch_idx).initial_seed())


def ddp_arguments(config: Config, place: Place) -> dict[str, Any]:
    """Return the arguments of Lightning's Trainer for the process at ``place``; those of one process are none."""
    if place.alone:
        return {}
    settings = config.trainer
    unused = settings.strategy == "ddp_find_unused_parameters_true"
    return {
        "devices": settings.devices,
        "num_nodes": settings.num_nodes,
        "strategy": ShareWeightedDDP(find_unused_parameters=unused, timeout=PATIENCE),
        "plugins": [PlaceOfRun(place), PlainCheckpointIO()],
        "use_distributed_sampler": False,  # the loaders know their share
        "sync_batchnorm": on_gpu(config),
    }


def leave_signals_alone(trainer: pl.Trainer) -> None:
    """Keep Lightning from handling SIGTERM, which rank 0 alone answers, as in a run of one process.

    Its handler sends a message to the other processes at whatever moment the signal comes, which mixes with the messages that
    are on their way, and in every step all processes would wait to hear whether there was one.
    """
    trainer._signal_connector.register_signal_handlers = lambda: None  # pyright: ignore[reportPrivateUsage]
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = lambda: None  # pyright: ignore[reportPrivateUsage]


def on_gpu(config: Config) -> bool:
    """Whether the run trains on GPUs."""
    kind = config.trainer.accelerator
    return kind == "gpu" or (kind == "auto" and torch.cuda.is_available())


@contextmanager
def process_group(config: Config, place: Place, store: Store) -> Generator[None]:
    """A context in which this process is one of the group, with NCCL on GPUs and Gloo on CPUs.

    Args:
        config: Configuration of the run.
        place: Place of this process.
        store: Through which the processes find each other.
    """
    device = torch.device("cuda", place.local_rank) if on_gpu(config) else None
    torch.distributed.init_process_group(
        "gloo" if device is None else "nccl",
        store=PrefixStore("group", store),
        rank=place.rank,
        world_size=place.world_size,
        timeout=PATIENCE,
        device_id=device,
    )
    try:
        yield
    except BaseException:
        leave_at_once()
        raise
    torch.distributed.destroy_process_group()


def leave_at_once() -> None:
    """Leave the process group without waiting for the others; NCCL would wait for what they no longer send."""
    if not torch.distributed.is_initialized():
        return
    if torch.distributed.get_backend() == "nccl":
        distributed_c10d._abort_process_group()  # pyright: ignore[reportPrivateUsage]
    else:
        torch.distributed.destroy_process_group()
