"""A training step of one network."""

from contextlib import nullcontext

import pytest
import torch

from convexp.training.step import gradients


class Asked(torch.optim.SGD):
    """An optimizer that does more than to drop gradients."""

    asked = 0

    def zero_grad(self, set_to_none=True):
        self.asked += 1
        super().zero_grad(set_to_none)


@pytest.mark.parametrize("kind", [torch.optim.SGD, Asked])
def test_gradients_of_before_are_dropped(kind):
    weights = [torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)]
    optimizer = kind([{"params": weights[:1]}, {"params": weights[1:]}], lr=0.1)

    def once():
        loss = weights[0].sum()
        return loss, (loss.detach(), {}, 1)

    weights[1].grad = torch.ones(3)
    for _ in range(2):
        gradients(once, optimizer, nullcontext())
    assert torch.equal(weights[0].grad, torch.ones(2))
    assert weights[1].grad is None
    assert getattr(optimizer, "asked", 2) == 2
