"""The law of ``convexp.replicas``: what is trained at once equals what is trained alone."""

import copy
import io
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from recorded import Graphs, recorded
from torch import Tensor, nn
from torch.nn.modules import module as of_all_modules
from torch.optim.lr_scheduler import LambdaLR

from convexp.data.digits import digits
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import (
    Conv1d,
    Conv2d,
    Dense1d,
    Dense2d,
    GlobalConv1d,
    GlobalConv2d,
    LocallyConnected1d,
    LocallyConnected2d,
    LowRankLocallyConnected1d,
    LowRankLocallyConnected2d,
)
from convexp.machine.garbage import gc_paused
from convexp.models import Network
from convexp.models.cost import LayerCost
from convexp.replicas import Member, Replicas, why_not, worthwhile
from convexp.replicas.optimizers import Optimizers
from convexp.replicas.stacked import Stacked
from convexp.replicas.windows import products_in_parts
from convexp.training.schedules import one_cycle
from convexp.training.stepping import Clipping
from convexp.training.tasks.classification import Classification
from convexp.training.tasks.localisation import Localisation
from convexp.training.tasks.task import TaskBatch

pytestmark = pytest.mark.integration  # they train

SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9, nesterov=True)
ADAM = partial(torch.optim.Adam, lr=0.003, fused=True)
STAGE = Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "max", (2, 2))
OF_ONE_PIXEL = Stage(2, (1, 1), (1, 1), (0, 0), (1, 1), "zeros", "none", (1, 1))
SKELETON = Skeleton((2, 6, 6), 3, (STAGE,), "flatten", (5,), "tanh", "none", True)
WIRINGS = [
    (Conv1d, Conv2d),
    (Dense1d, Dense2d),
    (GlobalConv1d, GlobalConv2d),
    (LocallyConnected1d, LocallyConnected2d),
    (LowRankLocallyConnected1d, LowRankLocallyConnected2d),
]


@st.composite
def wired(draw: st.DrawFn) -> tuple[Skeleton, Any]:
    dims = draw(st.integers(1, 2))
    kind = draw(st.sampled_from(WIRINGS))[dims - 1]
    settings: dict[str, Any] = {}
    if "Local" in kind.__name__:
        settings["bias"] = draw(st.sampled_from(["location", "channel"]))
    if "LowRank" in kind.__name__:
        settings |= {"rank": 2, "softmax": draw(st.booleans())}
    grouped = kind.__name__.startswith(("Conv", "Local")) and draw(st.booleans())
    if grouped:
        settings["groups"] = 2
    bias = draw(st.booleans())
    if not bias:
        settings.pop("bias", None)
    size = draw(st.tuples(*[st.integers(8, 9)] * dims))

    def sides(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * dims))

    stages: list[Stage] = []
    for _ in range(draw(st.integers(0, 2))):
        half, dilation = sides(0, 1), draw(st.integers(1, 2))
        modes = ["zeros", "circular"] + ([] if "Global" in kind.__name__ else ["reflect", "replicate"])
        pool = draw(st.sampled_from(["none", "none", "max", "avg", "blur", "max_blur"]))
        stages.append(
            Stage(
                2 * draw(st.integers(1, 2)),
                tuple(2 * n + 1 for n in half),
                sides(1, 2) if pool == "none" else (1,) * dims,
                tuple(dilation * n for n in half),
                (dilation,) * dims,
                draw(st.sampled_from(modes)),  # type: ignore[arg-type]
                pool,  # type: ignore[arg-type]
                sides(1, 2),
            )
        )
    activation = draw(st.sampled_from(["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "lsa", "none"]))
    norm = draw(st.sampled_from(["none", "batch", "batch_unit"]))
    readout = draw(st.sampled_from(["flatten", "global_avg", "global_max"]))
    hidden = tuple(draw(st.lists(st.integers(1, 5), max_size=1)))
    return Skeleton((2, *size), 3, tuple(stages), readout, hidden, activation, norm, bias), partial(kind, **settings)


def network(skeleton: Skeleton = SKELETON, wiring: Any = Conv2d, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    made = Network(skeleton, wiring, [0.4, 0.5], [0.2 + 0.1 * seed, 0.3]).double()
    for norm in made.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.eps = 0.1  # units that are constant in the batch would make rounding large
    return made


def batches(member: int, steps: int, skeleton: Skeleton = SKELETON, size: int = 4) -> list[TaskBatch]:
    generator = torch.Generator().manual_seed(member)

    def one() -> TaskBatch:
        images = torch.randint(0, 256, (size, *skeleton.input_shape), dtype=torch.uint8, generator=generator)
        return images, torch.randint(0, skeleton.classes, (size,), generator=generator)

    return [one() for _ in range(steps)]


def pair(
    make_optimizer: Any = SGD,
    seed: int = 0,
    clip: Clipping | None = None,
    decay: float | None = None,
    smoothing: float = 0,
    **made: Any,
) -> tuple[Member, Member]:
    """Two members that are equal in everything."""

    def member(own: nn.Module) -> Member:
        optimizer = make_optimizer(own.parameters())
        schedule = None if decay is None else LambdaLR(optimizer, lambda step: decay**step)
        return Member(Classification(own, label_smoothing=smoothing), optimizer, schedule, clip or Clipping())

    own = network(seed=seed, **made)
    return member(own), member(copy.deepcopy(own))


def difference(one: Any, other: Any) -> float:
    """The largest difference between the numbers in two nested structures, which have to have the same keys."""
    if isinstance(one, Tensor):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        return float((one - other).abs().max()) if one.numel() else 0.0
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max((difference(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        return max(map(difference, one, other), default=0.0)
    assert one == other
    return 0.0


def check(pairs: list[tuple[Member, Member]], most: float = 1e-10) -> None:
    for together, alone in pairs:
        assert difference(together.network.state_dict(), alone.network.state_dict()) < most
        assert difference(together.optimizer.state_dict(), alone.optimizer.state_dict()) < most


@settings(deadline=None, max_examples=25)
@given(wired())
@example((replace(SKELETON, stages=(OF_ONE_PIXEL, OF_ONE_PIXEL), activation="relu"), Conv2d))
def test_every_skeleton_trains_at_once_as_it_does_alone(case: tuple[Skeleton, Any]):
    skeleton, wiring = case
    pairs = [pair(seed=seed, skeleton=skeleton, wiring=wiring) for seed in range(3)]
    members = [together for together, _ in pairs]
    assert why_not(members, None) is None
    given = [batches(index, 2, skeleton) for index in range(3)]
    found = Replicas().steps(members, given)
    expected = [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]
    assert difference(found, expected) < 1e-10
    check(pairs)


@pytest.mark.parametrize(
    "make_optimizer",
    [
        ADAM,
        partial(ADAM, weight_decay=0.1, amsgrad=True, fused=None),
        partial(torch.optim.AdamW, lr=0.003, foreach=False),
        SGD,
        partial(torch.optim.SGD, lr=0.1),
        partial(torch.optim.RMSprop, lr=0.001, momentum=0.5),
        partial(torch.optim.Rprop, lr=0.001),
        partial(torch.optim.Adagrad, lr=0.01),
    ],
)
def test_every_optimizer_goes_on_alone(make_optimizer: Any):
    """Equal numbers and different ones, schedules of their own, and calls of different lengths, at once and alone in turn."""
    pairs = [pair(partial(make_optimizer, lr=0.001 * (1 + (seed > 1))), seed, decay=1 - 0.1 * (seed > 2)) for seed in range(4)]
    group = Replicas()
    for call, some in enumerate([pairs[:2], pairs[:2], pairs, pairs[1:], pairs[:1]]):  # equal, then not; members join and leave
        given = [batches(10 * call + index, 2 + call % 2) for index in range(len(some))]
        found = group.steps([together for together, _ in some], given)
        assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(some, given, strict=True)]) < 1e-10
        for index, (together, alone) in enumerate(some):  # steps of their own between the calls
            more = batches(100 + index, index)
            assert difference(together.steps_alone(more), alone.steps_alone(more)) < 1e-10
    check(pairs)


def test_sgd_without_a_state_steps_at_once_until_it_has_a_momentum(monkeypatch: pytest.MonkeyPatch):
    class Momentum:
        def __init__(self, optimizer: torch.optim.Optimizer) -> None:
            self.optimizer, self.steps = optimizer, 0

        def step(self) -> None:
            self.steps += 1
            self.optimizer.param_groups[0]["momentum"] = 0.5 * (self.steps > 2)

    plain = partial(torch.optim.SGD, lr=0.1)
    pairs = [tuple(replace(m, scheduler=Momentum(m.optimizer)) for m in pair(plain, seed)) for seed in range(3)]
    group, calls = Replicas(), []
    one_by_one = Optimizers._step_one_by_one  # type: ignore[reportPrivateUsage]
    monkeypatch.setattr(Optimizers, "_step_one_by_one", lambda self, grads: calls.append(call) or one_by_one(self, grads))
    for call, steps in enumerate([2, 2, 2]):
        given = [batches(10 * call + index, steps) for index in range(3)]
        found = group.steps([together for together, _ in pairs], given)
        assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]) < 1e-10
        check(pairs)  # type: ignore[arg-type]
    assert calls == [1]  # the first step with momentum, which makes the state


def test_members_differ_in_numbers():
    clips = [Clipping(), Clipping(0.05), Clipping(0.01, "value"), Clipping(1e9)]
    pairs = [pair(ADAM, seed, clip=clips[seed], smoothing=0.1 * seed, decay=0.9) for seed in range(4)]
    given = [batches(index, 5) for index in range(4)]
    found = Replicas().steps([together for together, _ in pairs], given)
    assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]) < 1e-10
    check(pairs)


def test_a_loss_that_is_not_finite_is_that_of_one_member():
    pairs = [pair(SGD, seed, clip=Clipping(1.0)) for seed in range(3)]
    for member in pairs[1]:
        nn.init.constant_(member.network.head.classes.bias, torch.inf)
    given = [batches(index, 3) for index in range(3)]
    found = Replicas().steps([together for together, _ in pairs], given)
    pairs[0][1].steps_alone(given[0])
    pairs[2][1].steps_alone(given[2])
    assert not any(bool(loss.isfinite()) for loss, *_ in found[1])
    check([pairs[0], pairs[2]])


def test_a_member_is_a_network_like_any_other_between_calls():
    pairs = [pair(ADAM, seed) for seed in range(3)]
    members, group = [together for together, _ in pairs], Replicas()
    given = [batches(index, 3) for index in range(3)]
    group.steps(members, given)
    for (_, alone), own in zip(pairs, given, strict=True):
        alone.steps_alone(own)
    sizes: list[int] = []
    for member in pairs[0]:
        file = io.BytesIO()
        torch.save({"network": member.network.state_dict(), "optimizer": member.optimizer.state_dict()}, file)
        sizes.append(len(file.getvalue()))
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)  # a checkpoint holds no other member
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    for member in pairs[2]:  # restored from another one's, as a resumed run is
        member.network.load_state_dict(saved["network"])
        member.optimizer.load_state_dict(copy.deepcopy(saved["optimizer"]))  # it keeps the tensors that it is given
    for member in pairs[1]:
        nn.init.ones_(member.network.head.classes.weight)
    found = group.steps(members, given)
    assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]) < 1e-10
    check(pairs)


def test_tensors_that_are_replaced_between_calls_are_trained_and_seen():
    pairs = [pair(ADAM, seed, skeleton=replace(SKELETON, norm="batch")) for seed in range(3)]
    members, group = [together for together, _ in pairs], Replicas()

    def replace_some(one: Member) -> None:
        weight = one.network.head.classes.weight
        weight.data = weight.data.clone()

    def convert(one: Member) -> None:
        one.network.float().double()

    def replace_buffer(one: Member) -> None:
        one.network.normalize.scale = one.network.normalize.scale * 2

    for call, change in enumerate([lambda _: None, replace_some, convert, replace_buffer, lambda _: None]):
        for each in pairs[1]:
            change(each)
        given = [batches(10 * call + index, 2) for index in range(3)]
        found = group.steps(members, given)
        assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]) < 1e-10
        check(pairs)
    members[1].network.float()  # no longer like the others
    members[1].optimizer.state.clear()
    assert [len(own) for own in group.steps(members, given)] == [2] * 3
    assert next(members[1].network.parameters()).dtype is torch.float32


def test_other_tasks_weights_of_classes_and_mixed_labels():
    def mixed(own: list[TaskBatch]) -> list[TaskBatch]:
        return [(images, nn.functional.one_hot(labels, 3) * 0.5 + 0.5 / 3) for images, labels in own]

    def boxes(own: list[TaskBatch]) -> list[TaskBatch]:
        return [(images, torch.stack((labels, labels + 2), 1)[..., None].expand(-1, -1, 2)) for images, labels in own]

    cases = [
        (partial(Classification, class_weights=[0.5, 1.0, 2.0]), SKELETON, lambda own: own),
        (partial(Classification, label_smoothing=0.1), SKELETON, mixed),
        (Localisation, replace(SKELETON, classes=2), boxes),
    ]
    for make_task, skeleton, change in cases:
        pairs = [pair(seed=seed, skeleton=skeleton) for seed in range(2)]
        pairs = [
            tuple(replace(member, task=make_task(member.network).double()) for member in own)  # type: ignore[misc]
            for own in pairs
        ]
        given = [change(batches(index, 2, skeleton)) for index in range(2)]
        found = Replicas().steps([together for together, _ in pairs], given)
        assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]) < 1e-10
        check(pairs)


def test_the_order_in_which_members_come_does_not_matter():
    pairs, group = [pair(seed=seed) for seed in range(3)], Replicas()
    for call, order in enumerate([(0, 1, 2), (2, 0, 1)]):
        some = [pairs[index] for index in order]
        given = [batches(10 * call + index, 2) for index in order]
        found = group.steps([together for together, _ in some], given)
        assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(some, given, strict=True)]) < 1e-10
    check(pairs)


def test_batches_of_different_sizes_and_many_members():
    pairs = [pair(seed=seed % 3) for seed in range(9)]  # more than are stacked
    group = Replicas()
    for sizes in ([4] * 9, [4] * 8 + [3]):
        given = [batches(index, 2, size=size) for index, size in enumerate(sizes)]
        found = group.steps([together for together, _ in pairs], given)
        assert difference(found, [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]) < 1e-10
    check(pairs)


@pytest.mark.parametrize("wiring", [Conv2d, LocallyConnected2d])
def test_in_single_precision_an_epoch_of_digits_gives_the_same(wiring: Any):
    source = digits(test_size=360, split_seed=0)
    images, labels = source.train_images, source.train_labels
    skeleton = replace(SKELETON, input_shape=(1, 8, 8), classes=10, activation="relu")

    def member(seed: int) -> Member:
        torch.manual_seed(seed)
        own = Network(skeleton, wiring, [0.3], [0.38])
        optimizer = torch.optim.Adam(own.parameters(), lr=0.004, fused=True)
        return Member(Classification(own), optimizer, one_cycle(optimizer, total_steps=40, warmup=0.3))

    together, alone, group = [member(0), member(1)], [member(0), member(1)], Replicas()
    for start in range(0, 40, 8):
        rows = [[torch.arange(32 * step, 32 * step + 32) for step in range(start, start + 8)], []]
        rows[1] = [len(labels) - 1 - own for own in rows[0]]
        given = [[(images[some], labels[some]) for some in own] for own in rows]
        found = group.steps(together, given)
        expected = [one.steps_alone(own) for one, own in zip(alone, given, strict=True)]
        losses = [torch.stack([loss for own in each for loss, *_ in own]) for each in (found, expected)]
        assert difference(*losses) < 1e-4
    for one, other in zip(together, alone, strict=True):
        assert difference(one.network.state_dict(), other.network.state_dict()) < 1e-4


@pytest.mark.parametrize("wiring", [kinds[1] for kinds in WIRINGS])
def test_under_autocast_it_differs_from_each_alone_by_rounding(wiring: Any):
    """By no more than bfloat16 itself changes what the run alone has learned after some steps."""
    skeleton = replace(SKELETON, norm="batch", activation="relu")
    settings = {"rank": 2} if wiring is LowRankLocallyConnected2d else {}
    made = [pair(seed=seed, skeleton=skeleton, wiring=partial(wiring, **settings)) for seed in range(3)]
    exact = [copy.deepcopy(alone) for _, alone in made]
    autocast = partial(torch.autocast, "cpu", torch.bfloat16)
    pairs = [[replace(member, forward_context=autocast) for member in own] for own in made]
    for member in (each for own in pairs for each in own):
        member.network.float()
    given = [batches(index, 3, skeleton, size=24) for index in range(3)]  # of fewer images windows are unfolded
    found = Replicas().steps([together for together, _ in pairs], given)
    for (together, alone), single, own, steps in zip(pairs, exact, given, found, strict=True):
        losses = [loss for loss, *_ in steps]
        assert {loss.dtype for loss in losses} == {torch.float32}
        torch.testing.assert_close(losses, [loss for loss, *_ in alone.steps_alone(own)], rtol=0.02, atol=0)
        single.steps_alone(own)
        states = [{name: p.detach().double() for name, p in m.network.named_parameters()} for m in (together, alone, single)]
        assert difference(*states[1:]) > 0
        assert difference(*states[:2]) < 2 * difference(*states[1:])


@pytest.mark.parametrize("smoothing", [(0, 0, 0), (0.1, 0, 0.2)], ids=["alike", "label smoothing of their own"])
def test_passes_that_are_captured_give_the_same(smoothing: tuple[float, ...]):
    """As they are on a GPU: buffers as after one pass for each batch, and losses that the next batch does not overwrite."""
    skeleton = replace(SKELETON, norm="batch")
    pairs = [pair(ADAM, seed, decay=0.9, smoothing=own, skeleton=skeleton) for seed, own in enumerate(smoothing)]
    given = [batches(index, 3, skeleton) for index in range(3)]
    stacked = Stacked([together for together, _ in pairs], recorded)
    found = stacked.steps(given)
    assert stacked.captures is not None
    assert stacked.captures.refused is None
    expected = [alone.steps_alone(own) for (_, alone), own in zip(pairs, given, strict=True)]
    assert difference(found, expected) < 1e-10
    check(pairs)


def test_what_was_captured_is_freed_with_the_stack():
    """A GPU's memory does not wait for Python to look for garbage."""
    with gc_paused():
        graphs = Graphs()
        stacked = Stacked([pair(seed=seed)[0] for seed in range(2)], graphs)
        stacked.steps([batches(index, 1) for index in range(2)])
        assert graphs.alive == 1
        del stacked
        assert graphs.alive == 0


@pytest.mark.parametrize("parts", [1, 3, 12])
def test_sums_of_products_may_be_cut_into_parts(parts: int):
    """The weights' gradient of a convolution is so computed on a GPU."""
    a, b = torch.randn(2, 3, 24, dtype=torch.float64), torch.randn(2, 5, 24, dtype=torch.float64)
    torch.testing.assert_close(products_in_parts(a, b, parts), torch.einsum("num,nfm->nuf", a, b))


def test_it_says_why_networks_cannot_be_trained_at_once():
    def reason(*members: Member) -> str:
        return why_not(members, None) or ""

    member = pair()[0]
    assert "different layers" in reason(member, pair(skeleton=replace(SKELETON, activation="relu"))[0])
    assert "groups" in reason(member, pair(lambda own: SGD([{"params": [each]} for each in own]))[0])
    other = pair()[0]
    other.network.float()
    assert "different shapes, types" in reason(member, other)
    hooked, evaluated, frozen, strange = (pair()[0] for _ in range(4))
    hooked.network.head.register_forward_hook(lambda *_: None)
    assert "hooks" in reason(hooked)
    for register in (
        nn.Parameter.register_hook,
        nn.Parameter.register_post_accumulate_grad_hook,
        lambda _, hook: of_all_modules.register_module_forward_hook(hook),
    ):
        handle = register(member.network.head.classes.weight, lambda *_: None)
        assert "hooks" in reason(member)
        handle.remove()
        assert reason(member) == ""
    evaluated.network.eval()
    assert "training mode" in reason(evaluated)
    frozen.network.head.requires_grad_(False)
    assert "other parameters" in reason(frozen)
    strange.network.stages[0].activation = nn.Dropout(0.5)
    assert reason(strange) == ""  # torch.vmap may do what has no stacked form
    assert "draws random numbers" in (why_not([strange], batches(0, 1)[0][0]) or "")
    assert "LBFGS computes the loss more than once" in reason(pair(torch.optim.LBFGS)[0])
    given = [batches(0, 1), batches(1, 1)]
    assert len(Replicas().steps([strange, pair()[0]], given)) == 2  # they are trained all the same


def test_small_steps_of_several_networks_are_worthwhile():
    def expected(replicas: int, size: int, wiring: Any, parameters: int, flops: int) -> bool:
        return worthwhile(replicas, size, network(wiring=wiring), [LayerCost("stages.0.wiring", "", (), parameters, flops)])

    assert expected(8, 32, Conv2d, 10_186, 208_000)  # digits, model=conv
    assert not expected(1, 32, Conv2d, 10_186, 208_000)
    assert not expected(8, 128, Conv2d, 10_186, 208_000)
    assert expected(2, 128, LocallyConnected2d, 105_994, 208_000)  # digits, model=local
    assert expected(8, 128, LowRankLocallyConnected2d, 16_842, 606_000)
    assert not expected(8, 128, LocallyConnected2d, 324_586, 700_000)
    assert not expected(8, 128, Dense2d, 7_396_266, 14_800_000)  # MNIST, model=dense
    assert not expected(8, 128, Conv2d, 20_746, 640_000)  # MNIST, model=conv


def test_small_steps_under_vmap_are_worthwhile_for_some_networks():
    def expected(replicas: int, size: int, parameters: int, flops: int, layers: int) -> bool:
        costs = [LayerCost(f"{i}", "", (), parameters // layers, flops // layers) for i in range(layers)]
        return worthwhile(replicas, size, nn.Sequential(), costs)

    assert expected(4, 32, 44_550, 1_100_416, 41)  # digits, model=resnet18 of width 4
    assert not expected(2, 32, 44_550, 1_100_416, 41)
    assert not expected(8, 128, 44_550, 1_100_416, 41)
    assert not expected(8, 32, 1_338, 626_848, 4)  # digits, a residual network of wide layers
