"""Check that a network can be relaxed in the middle of the training that the configuration describes."""

from convexp.config.schema import Config
from convexp.errors import ConfigError

TARGET = "convexp.training.relax.Relax"


def check_relaxed(config: Config) -> None:
    """Check that nothing holds on to the parameters that ``callbacks.relax`` replaces, and that it is validated after that.

    Raises:
        ConfigError: naming the setting that does not go with it.
    """
    for name, target in (config.callbacks or {}).items():
        if target.target != TARGET:
            continue
        trainer, at_epoch = config.trainer, target.spec().get("at_epoch")
        every = trainer.check_val_every_n_epoch
        last = trainer.max_epochs // every * every  # the epoch that the last validation comes after
        if config.ema is not None:
            raise ConfigError(f"ema={config.ema}: should be null, as callbacks.{name} replaces the weights that are averaged")
        if trainer.processes > 1:
            raise ConfigError(
                f"trainer.devices={trainer.devices}: should be 1 with trainer.num_nodes=1, as callbacks.{name} replaces weights"
            )
        if isinstance(at_epoch, int) and last <= at_epoch < trainer.max_epochs:
            raise ConfigError(
                f"trainer.check_val_every_n_epoch={every}: should divide trainer.max_epochs={trainer.max_epochs}, as the "
                f"network is to be validated after callbacks.{name}.at_epoch={at_epoch}"
            )
