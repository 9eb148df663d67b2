"""Networks that are not of a skeleton are trained at once under ``torch.vmap``, where that equals each alone."""

import copy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from convexp.layers import Conv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import ImageNetwork
from convexp.models.mlp_mixer import MlpMixer
from convexp.models.parts import Normalize
from convexp.models.resnet import ResNet18
from convexp.models.vit import vision_transformer
from convexp.replicas import Member, Replicas, trial, why_not
from convexp.replicas.stacked import Stacked
from convexp.replicas.worthwhile import AT_ONCE
from convexp.training.stepping import Clipping
from convexp.training.tasks.classification import Classification
from convexp.training.tasks.task import TaskBatch

pytestmark = pytest.mark.integration  # they train

SHAPE = (2, 8, 8)
CLASSES = 3


def layers(*made: nn.Module) -> nn.Module:
    return nn.Sequential(*made, nn.Flatten(), nn.LazyLinear(CLASSES))


class Unusual(nn.Module):
    """A scalar as a parameter, a layer under two names, a shared bias, a layer that is reparametrised, one that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.7))
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.tied = self.conv
        self.sharing = nn.Conv2d(2, 2, 1)
        self.sharing.bias = self.conv.bias
        self.frozen = nn.Conv2d(2, 2, 1).requires_grad_(False)
        self.head = parametrizations.weight_norm(nn.Linear(2 * 64, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.gain * self.frozen(self.sharing(self.tied(self.conv(x).relu_()))).flatten(1))


class Branching(nn.Module):
    """Does what the images say."""

    def __init__(self) -> None:
        super().__init__()
        self.body = layers()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x if x.mean() > 0 else -x)


class Counting(nn.Module):
    """Keeps a number of its own from batch to batch."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.seen = layers(), 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        return self.body(x / self.seen)


class Replacing(nn.Module):
    """Keeps a buffer that it replaces by another one."""

    def __init__(self) -> None:
        super().__init__()
        self.body = layers()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.seen = self.seen + 1
        return self.body(x / self.seen)


class Listing(nn.Module):
    """Keeps a list of its own from batch to batch."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.seen = layers(), [1]

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(1)
        return self.body(x / len(self.seen))


class Adding(nn.Module):
    """Changes a tensor in place that is no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.seen = layers(), {"batches": torch.zeros(())}

    def forward(self, x: Tensor) -> Tensor:
        self.seen["batches"] += 1
        return self.body(x)


class OfItsSeed(nn.Module):
    """Has a number that was drawn, which is neither a parameter nor a buffer, and close to that of other networks."""

    def __init__(self, hidden: bool = False) -> None:
        super().__init__()
        scale = 1 + 1e-4 * float(torch.rand(()))
        self.body, self.scale = layers(), partial(torch.mul, scale) if hidden else scale

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.scale(x) if callable(self.scale) else self.scale * x)


class Single(nn.Module):
    """Computes in single precision, whatever its parameters are."""

    def __init__(self) -> None:
        super().__init__()
        self.body = layers()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.float())


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.spare = layers(), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


NETWORKS: dict[str, Any] = {
    "batch norm": lambda: layers(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, eps=0.1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
    "of the batch": lambda: layers(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, eps=0.1, track_running_stats=False)),
    "own layers": lambda: layers(
        LocallyConnected2d(2, 4, 3, input_size=(8, 8)),
        nn.Tanh(),
        LowRankLocallyConnected2d(4, 2, 3, input_size=(6, 6), rank=2),
        Conv2d(2, 2, 3, input_size=(4, 4)),
    ),
    "resnet": partial(ResNet18, SHAPE, CLASSES, "cifar", 2),
    "mixer": partial(MlpMixer, SHAPE, CLASSES, patch_size=4, depth=1, hidden_dim=4),
    "vit": partial(vision_transformer, SHAPE, CLASSES, layers=1, heads=2, hidden_dim=4),
    "no dropout": lambda: layers(nn.Dropout(0.0)),
    "unusual": Unusual,
}
ALONE: dict[str, tuple[Any, str]] = {
    "dropout": (lambda: layers(nn.Dropout(0.5)), "draws random numbers"),
    "branching": (Branching, "does not work under torch.vmap"),
    "counting": (Counting, "keeps something from batch to batch: network.seen"),
    "replacing": (Replacing, "keeps something from batch to batch: network.seen"),
    "listing": (Listing, "keeps something from batch to batch: network.seen"),
    "adding": (Adding, "keeps something from batch to batch: network.seen"),
    "of its seed": (OfItsSeed, "differ in network.scale"),
    "of its seed, hidden": (partial(OfItsSeed, hidden=True), "output differs under torch.vmap"),
    "unused": (Unused, "parameter network.spare.weight has no gradient"),
}


def pair(make: Any, seed: int, clip: Clipping) -> tuple[Member, Member]:
    """Two members that are equal in everything."""
    torch.manual_seed(seed)
    own = ImageNetwork(Normalize([0.4, 0.5], [0.3, 0.3], 2), make()).train()
    own(torch.zeros(2, *SHAPE))  # lazy layers are made
    for module in own.double().modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.eps = 0.1  # units that are constant in the batch would make rounding large

    def member(network: nn.Module) -> Member:
        trained = [each for each in network.parameters() if each.requires_grad]
        return Member(Classification(network), torch.optim.Adam(trained, lr=0.003, fused=True), clip=clip)

    return member(own), member(copy.deepcopy(own))


def batches(seed: int, steps: int) -> list[TaskBatch]:
    generator = torch.Generator().manual_seed(seed)

    def one() -> TaskBatch:
        images = torch.randint(0, 256, (6, *SHAPE), dtype=torch.uint8, generator=generator)
        return images, torch.randint(0, CLASSES, (6,), generator=generator)

    return [one() for _ in range(steps)]


def states(member: Member) -> list[Tensor]:
    moments = [value for state in member.optimizer.state.values() for value in state.values()]
    return [*member.network.state_dict().values(), *moments]


@pytest.mark.parametrize("name", NETWORKS)
def test_any_network_trains_at_once_as_it_does_alone(name: str, monkeypatch: pytest.MonkeyPatch):
    stacked: list[int] = []
    steps = Stacked.steps
    monkeypatch.setattr(Stacked, "steps", lambda self, given: stacked.append(len(given)) or steps(self, given))
    pairs = [pair(NETWORKS[name], seed, Clipping(1.0) if seed else Clipping()) for seed in range(3)]
    group = Replicas()
    for call, some in enumerate([pairs, pairs, pairs[1:]]):  # one leaves
        given = [batches(10 * call + index, 2) for index in range(len(some))]
        found = group.steps([together for together, _ in some], given)
        expected = [alone.steps_alone(own) for (_, alone), own in zip(some, given, strict=True)]
        for own, other in zip(found, expected, strict=True):
            torch.testing.assert_close(own, other, rtol=1e-9, atol=1e-10)
    assert stacked == [3, 3, 2]
    for together, alone in pairs:
        torch.testing.assert_close(states(together), states(alone), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ALONE)
def test_what_vmap_cannot_do_is_found_by_trying_which_changes_nothing(name: str):
    make, reason = ALONE[name]
    pairs = [pair(make, seed, Clipping()) for seed in range(2)]
    members = [member for member, _ in pairs]
    given = [batches(index, 2) for index in range(2)]
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert reason in (why_not(members, given[0][0][0]) or "")
    assert torch.equal(torch.get_rng_state(), before)
    for member, twin in pairs:
        assert all(map(torch.equal, states(member), states(twin)))
    found = Replicas().steps(members, given)  # one after another, with the same random numbers
    torch.set_rng_state(before)
    expected = [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(("make", "precision"), [(NETWORKS["batch norm"], torch.float64), (Single, torch.float32)])
def test_a_network_that_can_be_stacked_is_as_it_was_after_the_trial(
    make: Any, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
):
    numbers: list[int] = []
    forward = trial.forward
    monkeypatch.setattr(trial, "forward", lambda network, own, x: numbers.append(len(x)) or forward(network, own, x))
    pairs = [pair(make, seed, Clipping()) for seed in range(AT_ONCE + 1)]
    members, given = [member for member, _ in pairs], [batches(index, 1) for index in range(AT_ONCE + 1)]
    for one, twin in pairs:
        one.network.to(precision)
        twin.network.to(precision)
    group = Replicas()
    assert group.why_not(members, given[0][0][0]) is None
    assert numbers == [AT_ONCE, AT_ONCE, 1, 1]  # no more copies at once than are trained at once
    for member, twin in pairs:
        assert all(map(torch.equal, states(member), states(twin)))
        assert all(each.grad is None for each in member.parameters())
    group.steps(members, given)
    assert len(numbers) == 4  # it is not tried again


def test_a_network_that_fails_in_the_context_of_its_training_is_trained_alone():
    class Strict(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = layers()

        def forward(self, x: Tensor) -> Tensor:
            if torch.is_autocast_enabled("cpu"):
                raise TypeError("autocast is unknown here")
            return self.body(x)

    members = [pair(Strict, seed, Clipping())[0] for seed in range(2)]
    images = batches(0, 1)[0][0]
    assert why_not(members, images) is None
    under_autocast = [replace(member, forward_context=partial(torch.autocast, "cpu", torch.bfloat16)) for member in members]
    assert "autocast is unknown here" in (why_not(under_autocast, images) or "")
