"""Check the settings of the section ``trainer``, which Lightning's Trainer takes."""

from typing import Any

from convexp.config.messages.trainer import explain_trainer_setting
from convexp.config.messages.validation import show_value
from convexp.config.schema import Config, Trainer
from convexp.config.signatures.trainer import trainer_signature
from convexp.config.signatures.value_types import describe_values, matches
from convexp.errors import ConfigError


def check_trainer(config: Config) -> None:
    """Check that the Trainer has every argument that the schema does not know, and that its limits go together.

    Raises:
        ConfigError: naming the setting.
    """
    for name, value in sorted((config.trainer.model_extra or {}).items()):
        _check_argument(name, value)
    _check_limits(config.trainer)
    for name, target in (config.callbacks or {}).items():
        if target.target.endswith(".GradientAccumulationScheduler") and config.trainer.accumulate_grad_batches > 1:
            raise ConfigError(
                f"trainer.accumulate_grad_batches={config.trainer.accumulate_grad_batches}: should be 1, as callbacks.{name} "
                "sets it"
            )


def _check_argument(name: str, value: Any) -> None:
    """Check a setting that the schema does not know against the annotation of the argument."""
    schema = trainer_signature().schemas.get(name)
    if schema is None:
        raise ConfigError(explain_trainer_setting(name))
    if isinstance(value, dict) or not matches(value, schema):
        expected = describe_values(schema) or "text, a number, true, false or null"
        raise ConfigError(f"trainer.{name}={show_value(value)}: should be {expected}")


def _check_limits(trainer: Trainer) -> None:
    if trainer.min_epochs is not None and trainer.min_epochs > trainer.max_epochs:
        raise ConfigError(f"trainer.min_epochs={trainer.min_epochs}: should be trainer.max_epochs={trainer.max_epochs} at most")
    if trainer.check_val_every_n_epoch > trainer.max_epochs:
        raise ConfigError(
            f"trainer.check_val_every_n_epoch={trainer.check_val_every_n_epoch}: should be "
            f"trainer.max_epochs={trainer.max_epochs} at most, as the best checkpoint is chosen by validations"
        )
    if trainer.max_steps is not None:
        _check_max_steps(trainer, trainer.max_steps)


def _check_max_steps(trainer: Trainer, steps: int) -> None:
    """Check settings that would keep the training from being validated when it ends after ``steps``."""
    if trainer.min_epochs is not None:
        raise ConfigError(f"trainer.min_epochs={trainer.min_epochs}: does not go with trainer.max_steps; use trainer.min_steps")
    if trainer.min_steps is not None and trainer.min_steps > steps:
        raise ConfigError(f"trainer.min_steps={trainer.min_steps}: should be trainer.max_steps={steps} at most")
    if trainer.check_val_every_n_epoch > 1:
        raise ConfigError(
            f"trainer.check_val_every_n_epoch={trainer.check_val_every_n_epoch}: does not go with trainer.max_steps, which may "
            "end the training in an epoch without a validation"
        )
