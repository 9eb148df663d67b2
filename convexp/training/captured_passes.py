"""The forward and the backward pass of a training step as a CUDA graph, which a GPU runs without waiting for Python.

A GPU computes a step of a small network in less time than Python needs to launch its kernels one by one. A CUDA graph launches
all of them at once. The kernels are the same, and so is what they compute; clipping, optimizer and schedule are not part of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from convexp.records.log import log
from convexp.training.hooks import has_hooks
from convexp.training.over_processes import Step

Result = TypeVar("Result")
Pass = Callable[[tuple[Tensor, Tensor]], Step]
Record = Callable[[Callable[[], Step]], tuple[Step, Callable[[], None]]]
WARM_UP = 3  # passes before a capture: kernels are loaded and chosen, and workspaces allocated, which a graph cannot hold


class Captured(NamedTuple):
    """A pass that can be repeated.

    Attributes:
        batch: The tensors that it reads the batch from.
        step: The tensors that it writes loss and metrics to.
        gradients: The tensors that it writes the gradients to; None for a parameter without one.
        replay: Runs it again.
    """

    batch: tuple[Tensor, Tensor]
    step: Step
    gradients: list[Tensor | None]
    replay: Callable[[], None]


class CapturedPasses:
    """Does as ``run``, and captures it at the first batch of each shape.

    It does so again if parameters are frozen or unfrozen, or if the mode of a module changes, as a graph knows nothing of that.
    If a pass cannot be captured, as it waits for the GPU (it branches on the value of a tensor, say), all are run as they are,
    and so they are from the batch on at which a module or a parameter has a hook: it is Python code, which a graph leaves out.

    Args:
        module: The module that is trained.
        run: Computes the gradients of a batch: ``Task.forward_and_backward``.
        record: Records the kernels of a function, ``cuda_graph``.
    """

    def __init__(self, module: nn.Module, run: Pass, record: Record | None = None) -> None:
        self.parameters = list(module.parameters())
        self.buffers = list(module.buffers())
        self.modules = list(module.modules())
        self.run = run
        self.record = cuda_graph if record is None else record
        self.refused: str | None = None  # why passes cannot be captured
        self._captured: dict[Any, Captured] = {}

    def __call__(self, batch: tuple[Tensor, Tensor]) -> Step:
        """Return what a batch gives, and leave the gradients in the parameters."""
        if self.refused is None and has_hooks(self.modules, self.parameters):
            self._refuse("the network has hooks, which a graph would leave out")
        if self.refused is not None:
            return self.run(batch)
        key = self._key(batch)
        if key not in self._captured:
            try:
                self._captured[key] = self._capture(batch)
            except RuntimeError as error:
                self._refuse(str(error).splitlines()[0])
                return self.run(batch)
        captured = self._captured[key]
        for own, given in zip(captured.batch, batch, strict=True):
            own.copy_(given, non_blocking=True)
        captured.replay()
        for parameter, gradient in zip(self.parameters, captured.gradients, strict=True):
            parameter.grad = gradient
        loss, sums, count = captured.step  # the next batch overwrites them
        return loss.clone(), {name: value.clone() for name, value in sums.items()}, _kept(count)

    def _refuse(self, why: str) -> None:
        self.refused = why
        self._captured.clear()
        log.info("steps are not captured as a CUDA graph: %s", why)

    def _key(self, batch: tuple[Tensor, Tensor]) -> Any:
        """What a graph keeps as it was captured: the addresses that it reads and writes, what is frozen, and the modes."""
        addresses = (tensor.data_ptr() for tensor in self.parameters + self.buffers)
        trained, modes = (p.requires_grad for p in self.parameters), (m.training for m in self.modules)
        return (*((t.shape, t.dtype, t.device) for t in batch), *addresses, *trained, *modes)

    def _capture(self, batch: tuple[Tensor, Tensor]) -> Captured:
        own, before = (batch[0].clone(), batch[1].clone()), [buffer.clone() for buffer in self.buffers]
        try:
            with torch.random.fork_rng([each.index for each in {t.device for t in own} if each.type == "cuda"]):
                step, replay = self.record(lambda: self.run(own))
        finally:
            for buffer, value in zip(self.buffers, before, strict=True):  # as before the passes of the warm-up
                buffer.copy_(value)
        return Captured(own, step, [parameter.grad for parameter in self.parameters], replay)


def cuda_graph(run: Callable[[], Result]) -> tuple[Result, Callable[[], None]]:
    """Run a function some times, then record its kernels, without running them, as a CUDA graph.

    Args:
        run: The function, which reads and writes tensors on the current GPU and does not wait for it.

    Returns:
        The tensors that the function returns, and what runs the kernels, on the same tensors.

    Raises:
        RuntimeError: if the function cannot be captured.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = run()
    return result, graph.replay


def _kept(count: int | Tensor) -> int | Tensor:
    return count.clone() if isinstance(count, Tensor) else count
