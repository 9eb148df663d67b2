"""Run in a process of its own, in an empty folder: a run to its first step, and what comes after it."""

# ruff: noqa: E402  when something is imported is what this is about

import importlib.util
import json
import sys
from pathlib import Path

from convexp.cli.train import main

LATE = (
    "torchmetrics",
    "torchvision",
    "scipy",
    "matplotlib",
    "sympy",
    "torch._dynamo",
    "torch._inductor",
    "sklearn",
    "pandas",
    "triton",
)
SMALL = [
    "pythonpath=[own]",
    "data=digits",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "data.train_size=64",
    "data.val_size=32",
    "probes=none",
]


def run(name: str, *settings: str) -> dict:
    sys.argv = ["convexp-train", *SMALL, f"hydra.run.dir={name}", *settings]
    main()
    return json.loads(Path(name, "result.json").read_text())["metrics"] | {"seconds_per_epoch": 0}


metrics = run("light", "+callbacks.seen._target_=seen.Seen")
found = {"imported before the first step": [name for name in LATE if name in Path("modules").read_text().split()]}

for package in ("torchmetrics", "torchvision"):  # who only looks for them changes nothing
    assert importlib.util.find_spec(package).loader.get_source(package)

import lightning_fabric.wrappers
import pytorch_lightning as pl
import torch
import torchvision

from convexp.imports.compiler import disable

tripled = disable(lambda x: 3 * x)
before = tripled(torch.ones(2))
assert torchvision.ops.box_area(torch.tensor([[0, 0, 2, 3]])) == 6
assert not isinstance(torch.nn.Linear(1, 1), lightning_fabric.wrappers.OptimizedModule)
found["the compiler"] = "torch._dynamo" in sys.modules

import torchmetrics

assert torchmetrics.Metric is torchmetrics.metric.Metric is pl.core.module.Metric
assert torchmetrics.MetricCollection is pl.core.module.MetricCollection
bound = [name.split(".") for name in sys.modules if name.startswith("torchmetrics.")]
assert all(hasattr(sys.modules[".".join(parents)], child) for *parents, child in bound)
assert isinstance(torchmetrics.MeanMetric(), torchmetrics.utilities.checks.Metric)
assert torchmetrics.__spec__.loader is torchmetrics.__loader__
figure, _ = torchmetrics.MaxMetric().plot(torch.ones(()))
assert type(figure).__module__ == "matplotlib.figure"

own = run("metered", "task=own", "task._target_=metered.Metered", "monitor=val/acc")
found["an own metric is logged"] = own["val/acc"] == own["val/mean"] > 0

compiled = torch.compile(torch.nn.Linear(2, 1), backend="eager")
assert isinstance(compiled, lightning_fabric.wrappers.OptimizedModule)
assert torch.equal(tripled(torch.ones(2)), before)


@torch.compile(backend="eager")
def step(optimizer: torch.optim.Optimizer) -> None:
    optimizer.step()
    optimizer.zero_grad()


weight = torch.nn.Parameter(torch.ones(3))
optimizer = torch.optim.SGD([weight], lr=0.5)
compiled(torch.ones(2)).backward()
weight.grad = torch.ones(3)
step(optimizer)
assert torch.equal(weight.detach(), torch.full((3,), 0.5))
assert weight.grad is None
found["the same with the compiler"] = run("whole") == metrics
found["versions"] = {"pytorch-lightning": pl.__version__, "torchmetrics": torchmetrics.__version__}
Path("found.json").write_text(json.dumps(found))
