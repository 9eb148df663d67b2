"""Relaxing a network in the middle of its training: a convolution goes on as the local or dense layer that it is.

d'Ascoli, Sagun, Biroli & Bruna 2019, "Finding the Needle in the Haystack with Convolutions" (arXiv 1906.06766).
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, WeightAveraging
from torch import nn
from torch.optim import Optimizer

from convexp.errors import ConfigError
from convexp.layers import as_dense, as_local
from convexp.layers.base import SpatialLayer
from convexp.layers.dense import DenseNd
from convexp.layers.local import LocallyConnectedNd
from convexp.layers.windowed import WindowedLayer
from convexp.records.log import log
from convexp.training.checkpoints import Checkpoints
from convexp.training.optimizers import Together
from convexp.training.tasks.task import Task

Kind = Literal["dense", "local"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def relax(module: nn.Module, to: Kind) -> int:
    """Replace layers in ``module`` by weaker constrained ones that compute the same function.

    Args:
        module: The module, whose layers are replaced in place.
        to: ``local``: every layer with windows becomes a locally connected one; ``dense``: every layer of ``convexp.layers``
            becomes a dense one. Those that are so already, batch norms and the readout stay as they are.

    Returns:
        How many layers were replaced.
    """
    made: dict[nn.Module, nn.Module] = {}
    for name, layer in list(module.named_modules(remove_duplicate=False)):
        if not _is_relaxed_by(layer, to):
            continue
        if layer not in made:
            made[layer] = (as_local(layer) if to == "local" else as_dense(layer)).train(layer.training)  # pyright: ignore
        parent, _, own = name.rpartition(".")
        setattr(module.get_submodule(parent), own, made[layer])
    return len(made)


def count_relaxed(module: nn.Module, to: Kind) -> int:
    """Return the number of parameters that ``module`` will have after ``relax(module, to)``, without allocating them."""
    replaced = [layer for layer in module.modules() if _is_relaxed_by(layer, to)]
    shared = {parameter for layer in replaced for parameter in layer.parameters()}
    kept = sum(parameter.numel() for parameter in module.parameters() if parameter not in shared)
    return kept + sum(_count_parameters_as(layer, to) for layer in replaced)


def _count_parameters_as(layer: Any, to: Kind) -> int:
    inputs = layer.fan_in() if to == "local" else layer.in_channels * layer.pixels
    return layer.out_channels * layer.locations * (inputs + (layer.bias is not None))


def _is_relaxed_by(layer: nn.Module, to: Kind) -> bool:
    if to == "local":
        return isinstance(layer, WindowedLayer) and not isinstance(layer, LocallyConnectedNd)
    return isinstance(layer, SpatialLayer) and not isinstance(layer, DenseNd)


def load_state(module: nn.Module, checkpoint: Mapping[str, Any]) -> None:
    """Load the ``state_dict`` of a checkpoint into ``module``, which is relaxed as the network was when it was written.

    Raises:
        RuntimeError: if the weights are those of another network.
    """
    state: Any = checkpoint.get("callbacks", {}).get(Relax.__name__)
    for to in KINDS:
        if state == {"to": to}:
            relax(module, to)
    module.load_state_dict(checkpoint["state_dict"])


class Relax(Callback):
    """Relaxes the network in training when an epoch begins.

    The network computes the same function before and after. The optimizer goes on with the new parameters, in the same groups
    with their present rates, so that the schedule continues. Its state (momentum, moments) begins anew for all parameters: that
    of a shared weight is a sum over its locations, and does not say what each location has contributed. So does the best value
    of the monitored metric: ``best.ckpt`` is the best of the relaxed network.

    Args:
        at_epoch: Number of epochs that are trained before; with as many as the training has, nothing is relaxed.
        to: ``dense`` or ``local``: what the layers become (see ``relax``).

    Attributes:
        relaxed: Whether the network is relaxed by now.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(self, at_epoch: int, to: Kind = "dense") -> None:
        if at_epoch < 0:
            raise ValueError(f"at_epoch={at_epoch}: should be 0 or more")
        if to not in KINDS:
            raise ValueError(f"to={to}: should be dense or local")
        self.at_epoch = at_epoch
        self.to: Kind = to
        self.relaxed = False

    def state_dict(self) -> dict[str, Any]:
        """Return what the layers have become, from which a checkpoint's network is rebuilt; nothing before."""
        return {"to": self.to} if self.relaxed else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Note that the network of the checkpoint is relaxed."""
        self.relaxed = bool(state_dict)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Have the steps made without a CUDA graph, which would go on with the parameters that it was captured with."""
        if isinstance(pl_module, Task):
            pl_module.cuda_graph = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check that there is something to relax, and that nothing averages the weights that are replaced.

        Raises:
            ConfigError: if there is not.
        """
        if not isinstance(pl_module, Task):
            raise ConfigError(f"callbacks.relax: task={type(pl_module).__name__}: should extend convexp's Task")
        if not self.relaxed and not any(_is_relaxed_by(layer, self.to) for layer in pl_module.modules()):
            raise ConfigError(f"callbacks.relax.to={self.to}: the network has no layer to relax, such as those of model=conv")
        for callback in trainer.callbacks:  # pyright: ignore[reportAttributeAccessIssue]
            if isinstance(callback, WeightAveraging):
                name = type(callback).__name__
                raise ConfigError(f"callbacks.relax: does not go with {name}, as it replaces the weights that are averaged")

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Relax the network, if it is time to.

        Raises:
            ConfigError: if the optimizer cannot go on, as its groups of parameters are others.
        """
        if self.relaxed or trainer.current_epoch < self.at_epoch:
            return
        assert isinstance(pl_module, Task)
        assert pl_module.make_optimizer is not None
        before = _count_parameters(pl_module)
        relax(pl_module, self.to)
        self.relaxed = True
        log.info("relaxed to %s: %d parameters, %d before", self.to, _count_parameters(pl_module), before)
        try:
            made = pl_module.make_optimizer(pl_module.network.parameters())
        except ValueError as error:  # such as a group for a parameter that is no more
            raise ConfigError(f"callbacks.relax: no optimizer for the relaxed network: {error}") from error
        _go_on_with(trainer.optimizers[0], made)
        for callback in trainer.callbacks:  # pyright: ignore[reportAttributeAccessIssue]
            if isinstance(callback, Checkpoints):
                callback.best, callback.best_epoch = None, -1


def _go_on_with(optimizer: Optimizer, made: Optimizer) -> None:
    """Give ``optimizer`` the parameters of ``made``, in the groups that it has, and forget the state of its own.

    Raises:
        ConfigError: if ``made`` has other groups, such as none for kernels, as they have become matrices.
    """
    if (before := len(optimizer.param_groups)) != (after := len(made.param_groups)):
        raise ConfigError(f"callbacks.relax: the optimizer has {before} groups of parameters, and {after} after relaxing")
    for group, other in zip(optimizer.param_groups, made.param_groups, strict=True):
        group["params"] = other["params"]
    for part in optimizer.parts if isinstance(optimizer, Together) else [optimizer]:
        part.state.clear()


def _count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
