"""Whole runs of convexp with what a GPU does otherwise: precisions, compiled networks, averaged weights, Muon."""

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import convexp
from gpu_checks.bench import Bench
from gpu_checks.commands import FIXED_TILES
from gpu_checks.rows import Row, failed, not_applicable, true

RUNS = {
    "moving average": ("model=local", "ema=0.9"),
    "Muon": ("model=mlp", "model.hidden=[32]", "optimizer=muon"),
    "bf16-mixed": ("model=local", "trainer.precision=bf16-mixed"),
    "16-mixed": ("model=local", "trainer.precision=16-mixed"),
    "gradient clipping": ("model=conv", "trainer.gradient_clip_val=1"),
    "shifts and augmentation": ("model=conv", "data.shift.train=2", "augment=rotate"),
    "probes": ("model=local", "probes=[equivariance,kernels,shift_map]", "probes.shift_map.max_shift=1"),
    "compiled": ("model=local", "compile=true"),
}
COMMON = (
    "data=digits",
    "trainer.max_epochs=1",
    "trainer.limit_train_batches=5",
    FIXED_TILES,
    "playground=false",
    "logger=csv",
)


def check(bench: Bench) -> Iterator[Row]:
    """Each run finishes on the device, with a finite loss."""
    device = bench.sized(("trainer=gpu", "trainer.precision=32-true"), ("trainer=cpu",))
    with tempfile.TemporaryDirectory() as scratch:
        for name, overrides in RUNS.items():
            if name == "16-mixed" and not bench.on_gpu:
                yield not_applicable(name, "half precision is scaled on GPUs only")
                continue
            probes = () if any(each.startswith("probes=") for each in overrides) else ("probes=none",)
            begun = time.monotonic()
            try:
                folder = Path(scratch, name.replace(" ", "_"))
                done = convexp.train(*COMMON, *device, *probes, *overrides, folder=folder, progress=False).record
                loss, where = done.metrics["test/loss"], done.hardware.accelerator
                fine = (
                    done.state == "finished"
                    and math.isfinite(loss)
                    and where == bench.sized("CUDAAccelerator", "CPUAccelerator")
                )
                yield true(name, fine, f"test/loss {loss:.4g}, {where}, {time.monotonic() - begun:.1f} s")
            except Exception as error:
                yield failed(name, f"{type(error).__name__}: {error}")
