"""Sums over the processes that train one network together."""

import torch
import torch.distributed
from torch import Tensor

Step = tuple[Tensor, dict[str, Tensor], int | Tensor]
"""Loss of a training batch, its metrics summed over the samples, and the number of samples that count."""


def processes() -> int:
    """Return the number of processes that train together; 1 if this one is alone."""
    return torch.distributed.get_world_size() if torch.distributed.is_available() and torch.distributed.is_initialized() else 1


def sum_over_processes(values: Tensor) -> Tensor:
    """Return the sum of ``values`` over all processes. All of them have to call this."""
    total = values.clone()
    torch.distributed.all_reduce(total)
    return total


def part_of_loss(weight: Tensor, total: Tensor) -> Tensor:
    """Return the factor of a process's loss with which the mean of the gradients is the gradient over the whole batch.

    A process has a loss ``l_r``, the mean over its share of the batch. Over the whole batch the loss is
    ``sum_r w_r l_r / sum_r w_r``, with ``w_r`` the weight of a share, such as its size. DDP takes the mean of the gradients
    over the n processes, so that the factor is ``n w_r / sum_r w_r``.

    Args:
        weight: The weight of this process's share, a scalar.
        total: The sum of the weights of all shares.
    """
    return torch.where(total > 0, processes() * weight / total, torch.zeros_like(total))


def of_whole_batch(step: Step, weight: int | Tensor) -> tuple[Step, Tensor]:
    """Put the shares of a training batch together.

    Args:
        step: Loss, sums and size of this process's share.
        weight: What the loss of the share is divided by: the sum of the weights of its samples.

    Returns:
        Loss, sums and size of the whole batch, the same in all processes; and ``part_of_loss``.
    """
    loss, sums, count = step
    own, size = (torch.as_tensor(value, dtype=torch.float64, device=loss.device) for value in (weight, count))
    total = sum_over_processes(torch.stack([own * loss, own, size, *(value.double() for value in sums.values())]))
    whole = torch.where(total[1] > 0, total[0] / total[1], total[0])
    part = part_of_loss(own, total[1]).to(loss.dtype)
    return (whole, dict(zip(sums, total[3:], strict=True)), total[2]), part
