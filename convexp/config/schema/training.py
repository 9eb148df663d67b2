"""The section ``trainer``."""

from typing import Any, Literal

from pydantic import ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt

from convexp.config.schema.fields import BatchCount, BatchCountOrNone
from convexp.config.schema.section import Section

OF_CONVEXP = (
    "threads",
    "profiler",
    "accelerator",
    "precision",
    "max_steps",
    "devices",
    "num_nodes",
    "strategy",
    "cuda_graph",
)  # used by convexp, or passed in another form


class Trainer(Section):
    """Arguments of Lightning's Trainer, and the number of threads of torch (conf/trainer/).

    The defaults are Lightning's. A newer Lightning may have further arguments: pydantic lets them pass, and
    ``convexp.config.checks.trainer`` checks them against the signature of the Trainer.
    """

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"additionalProperties": False},  # editors mark a misspelled setting
    )
    accelerator: Literal["cpu", "gpu", "mps", "auto"]
    max_epochs: PositiveInt
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"]
    gradient_clip_val: PositiveFloat | None
    deterministic: bool | Literal["warn"]
    threads: PositiveInt | None
    fast_dev_run: bool | PositiveInt
    overfit_batches: BatchCountOrNone  # 0: train on all batches
    profiler: Literal["simple", "advanced"] | None
    devices: PositiveInt = 1
    num_nodes: PositiveInt = 1
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"] = "auto"
    cuda_graph: bool = True
    accumulate_grad_batches: PositiveInt = 1
    gradient_clip_algorithm: Literal["norm", "value"] = "norm"
    max_steps: PositiveInt | None = None
    min_epochs: PositiveInt | None = None
    min_steps: PositiveInt | None = None
    limit_train_batches: BatchCount | None = None
    limit_val_batches: BatchCount | None = None
    val_check_interval: BatchCount | None = None
    check_val_every_n_epoch: PositiveInt = 1
    num_sanity_val_steps: NonNegativeInt = 0  # Lightning's is 2
    log_every_n_steps: PositiveInt = 50
    benchmark: bool | None = None
    detect_anomaly: bool = False
    inference_mode: bool = True
    enable_model_summary: bool = False  # Lightning's is true

    @property
    def processes(self) -> int:
        """The number of processes that train together, on a device each."""
        return self.devices * self.num_nodes

    def arguments(self) -> dict[str, Any]:
        """The settings that Lightning's Trainer takes as they are, by name."""
        return {name: value for name, value in self.model_dump().items() if name not in OF_CONVEXP}
