"""The sections ``optimizer`` and ``trainer``."""

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from convexp.config.schema.section import Section, Target


class Optimizer(Target):
    """A class of ``torch.optim`` (conf/optimizer/); further settings are arguments of its constructor."""

    lr: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0


class Trainer(Section):
    """Arguments of Lightning's Trainer, and the number of threads of torch (conf/trainer/)."""

    accelerator: Literal["cpu", "gpu", "mps", "auto"]
    max_epochs: PositiveInt
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"]
    gradient_clip_val: PositiveFloat | None
    deterministic: bool
    threads: PositiveInt | None
    fast_dev_run: bool
    overfit_batches: NonNegativeInt  # 0: train on all batches
    profiler: Literal["simple", "advanced"] | None
