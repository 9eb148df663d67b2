"""The weights of a network as bytes: kernels in half precision with a common factor, the few other numbers in single."""

import math

import torch
from torch import Tensor

from convexp.records.playground_format import MAX_WEIGHTS, Numbers


class LeftOutError(ValueError):
    """A network cannot be run in a page; the message is a sentence that says why."""


class Weights:
    """Collects arrays, one after the other.

    Attributes:
        content: The bytes so far.
    """

    def __init__(self) -> None:
        self.content = bytearray()

    def half(self, tensor: Tensor) -> Numbers:
        """Add an array in float16, divided by a power of two s that brings the largest number to 2^14 or more.

        A number w is off by at most ``2^-11 |w| + 2^-39 max |w|`` afterwards: none overflows, and small ones lose digits only
        where they are small beside the largest.

        Raises:
            LeftOutError: If there are too many bytes, or a number is not finite.
        """
        tensor, largest = self._checked(tensor, 2)
        scale = 2.0 ** (math.frexp(largest)[1] - 15) if largest else 1.0
        return self._add((tensor.double() / scale).half(), "<f2", scale)

    def single(self, tensor: Tensor) -> Numbers:
        """Add an array in float32: biases, norms and shares of kernels, where an error would not average out.

        Raises:
            LeftOutError: If there are too many bytes, or a number is not finite.
        """
        tensor, _ = self._checked(tensor, 4)
        return self._add(tensor.float(), "<f4", 1.0)

    def _checked(self, tensor: Tensor, size: int) -> tuple[Tensor, float]:
        """The array in main memory, and its largest absolute value."""
        check_bytes(len(self.content) + size * tensor.numel())
        tensor = on_cpu(tensor)
        largest = float(tensor.abs().max())
        if not math.isfinite(largest):
            raise LeftOutError("not all of its weights are finite numbers")
        return tensor, largest

    def _add(self, tensor: Tensor, kind: str, scale: float) -> Numbers:
        self.content += bytes(-len(self.content) % 4)
        offset = len(self.content)
        self.content += tensor.contiguous().numpy().astype(kind).tobytes()
        return Numbers(offset, list(tensor.shape), "float16" if kind == "<f2" else "float32", scale)


def check_bytes(size: int) -> None:
    """Check that weights of so many bytes may be written.

    Raises:
        LeftOutError: If they are too many.
    """
    if size > MAX_WEIGHTS:
        raise LeftOutError(
            f"its weights take {size / 2**20:.1f} MiB or more in half precision, and a page has at most "
            f"{MAX_WEIGHTS // 2**20} MiB for a network"
        )


def on_cpu(tensor: Tensor) -> Tensor:
    """Return a tensor without its gradient, in main memory."""
    return tensor.detach().to(torch.device("cpu"))
