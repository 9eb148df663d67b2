"""Check settings that are each right but do not go together."""

import math

from convexp.config.schema import Config
from convexp.config.schema.task import LOCALISATION
from convexp.errors import ConfigError


def check_combinations(config: Config) -> None:
    """Check that the optimizer can clip gradients, that pixels are permuted last, and that a new run has no ``data_root``.

    Raises:
        ConfigError: naming the settings that do not go together.
    """
    trainer, fused = config.trainer, config.optimizer.spec().get("fused")
    if fused and trainer.gradient_clip_val is not None and trainer.precision.endswith("-mixed"):
        raise ConfigError(
            f"optimizer.fused=true: cannot clip gradients with trainer.precision={trainer.precision}; set optimizer.fused=false"
        )
    if (seed := config.data.permute_pixels) is not None:
        shown = f"data.permute_pixels={seed}"
        if config.augment:
            raise ConfigError(
                f"{shown}: does not go with augment=[{','.join(config.augment)}], which needs pixels where they belong"
            )
        if config.task.target == LOCALISATION:
            raise ConfigError(f"{shown}: does not go with a task that looks for objects, as their pixels would lie anywhere")
    if config.data_root is not None:
        raise ConfigError(
            f"data_root={config.data_root}: goes with resume=DIR, for a run whose data has moved; for a new run set "
            "data.source.root or data.source.file"
        )


def check_batch_norm(config: Config) -> None:
    """Check that batch normalisation has at least two values of each unit or channel to take statistics of.

    Raises:
        ConfigError: naming the size of the batches.
    """
    model, data = config.skeleton, config.data
    if model is None or model.norm == "none" or data.batch_size > 1:
        return
    skeleton = model.skeleton(data.input_shape, config.network_outputs)
    places = [math.prod(stage.wired_size(size)) for stage, size in zip(skeleton.stages, skeleton.sizes(), strict=False)]
    if model.hidden or (places and (model.norm == "batch_unit" or min(places) == 1)):
        raise ConfigError(
            f"data.batch_size=1: model.norm={model.norm} needs batches of 2 images or more, or set model.norm=none"
        )
