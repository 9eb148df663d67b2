"""Passes that are captured once and replayed; a recorder that runs the function again stands in for the GPU's."""

import pytest
import torch
from recorded import Graphs, recorded
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as of_all_modules

from convexp.machine.garbage import gc_paused
from convexp.training.captured_passes import CapturedPasses

BATCHES = [(torch.randn(4, 3, generator=torch.Generator().manual_seed(i)), torch.tensor([0, 1, 2, i % 3])) for i in range(5)]


class Trained(nn.Module):
    """A network with buffers and randomness, and what computes its gradients."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
        self.unused = nn.Linear(2, 2)
        self.passes = 0

    def forward_and_backward(self, batch):
        self.passes += 1
        for parameter in self.parameters():
            parameter.grad = None
        outputs = self.network(batch[0])
        loss = F.cross_entropy(outputs, batch[1])
        loss.backward()
        return loss.detach(), {"acc": (outputs.argmax(1) == batch[1]).sum()}, len(batch[1])


def trained(make_passes):
    """The state after some steps, and what each of them gave."""
    module = Trained()
    run = make_passes(module)
    optimizer = torch.optim.Adam(module.parameters())
    torch.manual_seed(0)
    steps = []
    for batch in BATCHES:
        steps.append(run(batch))
        optimizer.step()
        optimizer.zero_grad()
    return module, steps


def test_steps_are_those_of_passes_that_are_not_captured():
    module, steps = trained(lambda m: CapturedPasses(m, m.forward_and_backward, recorded))
    alone, expected = trained(lambda m: m.forward_and_backward)
    for name, value in alone.state_dict().items():
        assert torch.equal(module.state_dict()[name], value), name
    assert [(float(loss), int(sums["acc"]), count) for loss, sums, count in steps] == [
        (float(loss), int(sums["acc"]), count) for loss, sums, count in expected
    ]
    assert module.unused.weight.grad is None


def test_a_pass_is_captured_once_for_each_shape_and_each_place_of_the_weights():
    module = Trained()
    captures = []

    def record(run):
        captures.append(run)
        return recorded(run)

    passes = CapturedPasses(module, module.forward_and_backward, record)
    for batch in BATCHES[:3]:
        passes(batch)
    assert len(captures) == 1
    smaller = tuple(tensor[:2] for tensor in BATCHES[0])
    assert passes(smaller)[2] == 2
    assert len(captures) == 2
    module.unused.weight.data = module.unused.weight.data.clone()
    passes(smaller)
    assert len(captures) == 3


def test_what_is_frozen_and_how_modules_behave_is_looked_at_before_each_pass():
    module = Trained()
    passes, first = CapturedPasses(module, module.forward_and_backward, recorded), module.network[0].weight
    first.requires_grad_(False)
    passes(BATCHES[0])
    assert first.grad is None
    first.requires_grad_(True)
    passes(BATCHES[0])
    assert first.grad is not None
    before = module.passes
    module.network[2].eval()
    passes(BATCHES[0])
    assert module.passes > before + 1  # not only replayed


def test_what_cannot_be_captured_runs_as_it_is():
    def record(run):
        run()
        try:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        finally:  # as torch ends a capture
            raise RuntimeError("operation failed due to a previous error")

    module, steps = trained(lambda m: CapturedPasses(m, m.forward_and_backward, record))
    alone, expected = trained(lambda m: m.forward_and_backward)
    for name, value in alone.state_dict().items():
        assert torch.equal(module.state_dict()[name], value), name
    assert [float(loss) for loss, *_ in steps] == [float(loss) for loss, *_ in expected]
    passes = CapturedPasses(module, module.forward_and_backward, record)
    passes(BATCHES[0])
    assert passes.captures.refused == "operation not permitted when stream is capturing"


def test_what_was_captured_is_freed_with_its_owner():
    """A GPU's memory does not wait for Python to look for garbage."""
    with gc_paused():
        module, graphs = Trained(), Graphs()
        passes = CapturedPasses(module, module.forward_and_backward, graphs)
        passes(BATCHES[0])
        assert graphs.alive == 1
        del passes
        assert graphs.alive == 0


HOOKS = {
    "forward": lambda module, hook: module.network[0].register_forward_hook(hook),
    "before forward": lambda module, hook: module.network.register_forward_pre_hook(hook),
    "forward, with keywords": lambda module, hook: module.network[0].register_forward_hook(hook, with_kwargs=True),
    "backward": lambda module, hook: module.network[3].register_full_backward_hook(hook),
    "before backward": lambda module, hook: module.network[3].register_full_backward_pre_hook(hook),
    "of all modules": lambda module, hook: of_all_modules.register_module_forward_hook(hook),
    "before backward, of all modules": lambda module, hook: of_all_modules.register_module_full_backward_pre_hook(hook),
    "gradient": lambda module, hook: module.network[0].weight.register_hook(hook),
    "gradient is there": lambda module, hook: module.network[0].weight.register_post_accumulate_grad_hook(hook),
}


@pytest.mark.parametrize("register", HOOKS.values(), ids=HOOKS.keys())
@pytest.mark.parametrize("before", [0, 2], ids=["at once", "after two batches"])
def test_hooks_run_at_each_batch(register, before):
    """A stand-in for a GPU that runs nothing again: what is replayed is without Python, and a hook would not be called."""
    module, calls = Trained(), []

    def record(run):
        return run(), lambda: None

    passes = CapturedPasses(module, module.forward_and_backward, record)
    for batch in BATCHES[:before]:
        passes(batch)
    assert passes.captures.refused is None
    handle = register(module, lambda *_: calls.append(1))
    try:
        for batch in BATCHES[before:]:
            called = len(calls)
            passes(batch)
            assert len(calls) > called
    finally:
        handle.remove()
    assert "hooks" in passes.captures.refused


def test_hooks_that_are_gone_before_the_first_batch_are_no_reason():
    module = Trained()
    for register in HOOKS.values():
        register(module, print).remove()
    passes = CapturedPasses(module, module.forward_and_backward, recorded)
    passes(BATCHES[0])
    assert passes.captures.refused is None
