"""The forward and the backward pass of a training step as a CUDA graph, which a GPU runs without waiting for Python.

A GPU computes a step of a small network in less time than Python needs to launch its kernels one by one. A CUDA graph launches
all of them at once. The kernels are the same, and so is what they compute; clipping, optimizer and schedule are not part of it.
"""

import gc
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from convexp.machine.garbage import gc_paused
from convexp.records.log import log
from convexp.training.hooks import has_hooks
from convexp.training.over_processes import Step

Result = TypeVar("Result")
Pass = Callable[[tuple[Tensor, Tensor]], Step]
Record = Callable[[Callable[[], Any]], tuple[Any, Callable[[], None]]]
WARM_UP = 3  # passes before a capture: kernels are loaded and chosen, and workspaces allocated, which a graph cannot hold


@dataclass(frozen=True)
class Captured(Generic[Result]):
    """A function of tensors that can be repeated.

    Attributes:
        inputs: The tensors that it reads.
        result: What it has returned: tensors that it writes to.
        replay: Runs it again.
    """

    inputs: list[Tensor]
    result: Result
    replay: Callable[[], None]

    def __call__(self, *inputs: Tensor) -> Result:
        """Run it with other inputs. The next call overwrites the result."""
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given, non_blocking=True)
        self.replay()
        return self.result


class Captures(Generic[Result]):
    """What was captured of a function of tensors: for each kind of tensors, when the first of that kind have come.

    If the function cannot be captured, as it waits for the GPU (it branches on the value of a tensor, say), it is called as it
    is. It is not kept, so that what was captured is freed with its owner, whose method the function may be.

    Args:
        buffers: The tensors that the function changes, besides those of its result.
        record: Records the kernels of a function, as ``cuda_graph`` does.
    """

    def __init__(self, buffers: Sequence[Tensor], record: Record) -> None:
        self.buffers, self.record = buffers, record
        self.refused: str | None = None  # why the function cannot be captured
        self._captured: dict[Hashable, Captured[Result]] = {}

    def __call__(self, run: Callable[..., Result], inputs: Sequence[Tensor], key: Hashable = None) -> Result:
        """Return what the function returns; the next call may overwrite it.

        Args:
            run: The function, the same in all calls.
            inputs: Its arguments, all on one device.
            key: What it depends on besides its arguments and the values of other tensors.
        """
        kind = (key, *((each.shape, each.dtype, each.device) for each in inputs))
        if self.refused is None and kind not in self._captured:
            try:
                self._captured[kind] = self._capture(run, inputs)
            except RuntimeError as error:
                self.refuse(str(_first(error)).splitlines()[0])
        return run(*inputs) if self.refused is not None else self._captured[kind](*inputs)

    def refuse(self, why: str) -> None:
        """Call the function as it is from now on, and say why in the log."""
        self.refused = why
        self._captured.clear()
        log.info("steps are not captured as a CUDA graph: %s", why)

    def _capture(self, run: Callable[..., Result], inputs: Sequence[Tensor]) -> Captured[Result]:
        own, before = [each.clone() for each in inputs], [buffer.clone() for buffer in self.buffers]
        try:
            with torch.random.fork_rng([each.index for each in {t.device for t in own} if each.type == "cuda"]):
                return Captured(own, *self.record(lambda: run(*own)))
        finally:
            for buffer, value in zip(self.buffers, before, strict=True):  # as before the passes of the warm-up
                buffer.copy_(value)


class CapturedPasses:
    """Does as ``run``, and captures it at the first batch of each shape.

    It does so again if parameters are frozen or unfrozen, or if the mode of a module changes, as a graph knows nothing of that.
    Passes that cannot be captured are run as they are, and so they are from the batch on at which a module or a parameter has a
    hook: it is Python code, which a graph leaves out.

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
        self.captures = Captures[tuple[Step, list[Tensor | None]]](self.buffers, record or cuda_graph)

    def __call__(self, batch: tuple[Tensor, Tensor]) -> Step:
        """Return what a batch gives, and leave the gradients in the parameters."""
        if self.captures.refused is None and has_hooks(self.modules, self.parameters):
            self.captures.refuse("the network has hooks, which a graph would leave out")
        if self.captures.refused is not None:
            return self.run(batch)
        (loss, sums, count), gradients = self.captures(self._step_and_gradients, batch, self._key())
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        sums = {name: value.clone() for name, value in sums.items()}  # the next batch overwrites them
        return loss.clone(), sums, _kept(count)

    def _step_and_gradients(self, *batch: Tensor) -> tuple[Step, list[Tensor | None]]:
        images, targets = batch
        step = self.run((images, targets))
        return step, [parameter.grad for parameter in self.parameters]

    def _key(self) -> Hashable:
        """What a graph keeps as it was captured: the addresses that it reads and writes, what is frozen, and the modes."""
        addresses = (tensor.data_ptr() for tensor in self.parameters + self.buffers)
        trained, modes = (p.requires_grad for p in self.parameters), (m.training for m in self.modules)
        return (*addresses, *trained, *modes)


def _first(error: BaseException) -> BaseException:
    """The error within a capture, where ``error`` is the one that torch raises as it ends a capture that has failed."""
    while error.__context__ is not None:
        error = error.__context__
    return error


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
    gc.collect()  # nodes of autograd's graphs that are in circles would be used again, which belong to the other stream
    graph = torch.cuda.CUDAGraph()
    # A CUDA graph that is garbage in a circle and destroyed meanwhile would end the capture.
    with _random_numbers_afterwards(), gc_paused(), torch.cuda.graph(graph):
        result = run()
    return result, graph.replay


@contextmanager
def _random_numbers_afterwards() -> Generator[None]:
    """Give the GPU its random numbers back if a capture has failed: torch leaves the generator in the state of a capture."""
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    before = generator.clone_state()
    try:
        yield
    except BaseException:
        generator.graphsafe_set_state(before)
        raise


def _kept(count: int | Tensor) -> int | Tensor:
    return count.clone() if isinstance(count, Tensor) else count
