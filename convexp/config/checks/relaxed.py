"""Check that a network can be relaxed in the middle of the training that the configuration describes."""

from convexp.config.schema import Config
from convexp.errors import ConfigError

TARGET = "convexp.training.relax.Relax"
MUON = "convexp.training.optimizers.muon"


def check_relaxed(config: Config) -> None:
    """Check that nothing holds on to the parameters that ``callbacks.relax`` replaces, and that it is validated after that.

    Raises:
        ConfigError: naming the setting that does not go with it.
    """
    for name, target in (config.callbacks or {}).items():
        if target.target != TARGET:
            continue
        trainer, optimizer = config.trainer, config.optimizer
        if config.ema is not None:
            raise ConfigError(f"ema={config.ema}: should be null, as callbacks.{name} replaces the weights that are averaged")
        if trainer.processes > 1:
            raise ConfigError(
                f"trainer.devices={trainer.devices}: should be 1 with trainer.num_nodes=1, as callbacks.{name} replaces weights"
            )
        if (every := trainer.check_val_every_n_epoch) != 1:  # else best.ckpt may be of the network before
            raise ConfigError(
                f"trainer.check_val_every_n_epoch={every}: should be 1, as the network that callbacks.{name} replaces is to be "
                "validated whenever the training stops"
            )
        if optimizer.groups and optimizer.target == MUON:  # a kernel that becomes a matrix would change its group
            raise ConfigError(
                f"optimizer.groups={{{', '.join(optimizer.groups)}}}: should be empty with muon, as callbacks.{name} makes "
                "matrices of kernels"
            )
