# %% [markdown]
# # 7. Equivariance and invariance
#
# After this lesson you can say of any layer, readout or network which of the two words fits it, for which shifts, and how
# much is missing. The words are mixed up even in textbooks (a correction of *Dive into Deep Learning*, pull request 2611, has
# been open since 2024), so here each of them is a number that is measured.
#
# Let $T_{\delta}$ shift an image by $\delta$ pixels. For now the shift is circular: what leaves the image on one side enters
# it on the other.
#
# - $f$ is **equivariant** if $f(T_{\delta} x) = T_{\delta} f(x)$: its output *moves along* with the image.
# - $f$ is **invariant** if $f(T_{\delta} x) = f(x)$: its output *stays as it is*.
#
# We begin with the first. A digit moves over a canvas, and a kernel that answers to vertical edges looks at it.

# %%
from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, max_pool1d

from convexp.data.canvas import circular, place, zero_fill
from convexp.geometry.equivariance import invariances
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.geometry.wiring import Wiring
from convexp.layers import Conv2d, LocallyConnected2d
from convexp.models import Network
from convexp.models.parts import ReadoutLayer
from convexp.pictures.palette import hue
from convexp.probes import measure
from convexp.probes.behaviour.equivariance import Equivariance
from convexp.teaching import drawing, show, step_through

torch.manual_seed(0)
digits = torch.tensor(load_digits().images[:64], dtype=torch.float32)[:, None] / 16  # (64, 1, 8, 8)
x = place(digits, (16, 16), (4, 4))  # (64, 1, 16, 16)
edges = Conv2d(1, 1, 3, input_size=16, padding="same", padding_mode="circular", bias=False)
edges.weight.data = torch.tensor([[[[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]]])

frames: list[Figure] = []
steps = range(0, 10, 2)
for right in steps:
    moved = circular(x, (0, right))
    assert torch.allclose(edges(moved), circular(edges(x), (0, right)), atol=1e-5)  # equivariant, for every shift
    figure, axes = drawing(1, 2, width=4.8, height=2.5)
    axes[0].imshow(moved[7, 0], cmap="cividis")
    axes[1].imshow(edges(moved)[7, 0].detach(), cmap="RdBu_r", vmin=-4, vmax=4)
    for ax, title in zip(axes, ("image", "feature map"), strict=True):
        ax.set(title=title, xlabel="column", ylabel="row", xticks=[0, 5, 10, 15], yticks=[0, 5, 10, 15])
        ax.grid(False)
    frames.append(figure)
step_through(
    frames,
    [f"{right} pixels" for right in steps],
    alt="A digit seven on a canvas of 16 by 16 pixels beside its feature map of vertical edges. Both move to the right.",
    caption="The digit moves to the right, and its feature map moves along, pixel for pixel: this layer is equivariant.",
)

# %% [markdown]
# ## Which is which, by number
#
# Both words are equations, so both have an error, the distance between the two sides in units of the output's size:
#
# $$ \epsilon_{equi} = \frac{\| f(T_{\delta} x) - T_{\delta} f(x) \|}{\| f(x) \|} $$
#
# $$ \epsilon_{inv} = \frac{\| f(T_{\delta} x) - f(x) \|}{\| f(x) \|} $$
#
# We measure them at $\delta = 3$ for four functions: a convolution with ReLU; a locally connected layer of the same shape;
# the mean of each feature map ("global pooling"); and a readout that has a weight for each place ("flattened"). The scores of
# a readout have no place that could move, so for them $T_{\delta} f(x)$ is $f(x)$, and the two errors are the same number.


# %%
def relative(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def errors(f: Callable[[Tensor], Tensor], shift: tuple[int, int] = (0, 3)) -> tuple[float, float]:
    """The equivariance error and the invariance error of f."""
    found, still = f(circular(x, shift)), f(x)
    return relative(found, circular(still, shift) if still.dim() == 4 else still), relative(found, still)


same = {"input_size": 16, "padding": "same", "padding_mode": "circular"}
conv, local = Conv2d(1, 8, 3, **same), LocallyConnected2d(1, 8, 3, **same)
mean, flatten = ReadoutLayer("global_avg"), ReadoutLayer("flatten")
to_scores = nn.Linear(8 * 16 * 16, 10, bias=False)
functions: dict[str, Callable[[Tensor], Tensor]] = {
    "convolution": lambda x: conv(x).relu(),
    "locally connected": lambda x: local(x).relu(),
    "convolution, global mean": lambda x: mean(conv(x).relu()),
    "convolution, flattened": lambda x: to_scores(flatten(conv(x).relu())),
}
with torch.no_grad():
    measured = {name: errors(f) for name, f in functions.items()}
print(f"{'':25}  equi.   inv.")
for name, (equivariance, invariance) in measured.items():
    print(f"{name:25} {equivariance:6.2f} {invariance:6.2f}")
equi, inv = zip(*measured.values(), strict=True)
assert equi[0] < 1e-5  # a convolution is equivariant
assert inv[0] > 0.3  # and not invariant
assert min(equi[1], inv[1]) > 0.3  # a locally connected layer is neither
assert inv[2] < 1e-5  # the mean of an equivariant map is invariant
assert inv[3] > 0.3  # weights for each place undo it

# %% [markdown]
# The convolution is equivariant and not invariant: its map is another one after the shift, namely the shifted one. The global
# mean of that map is invariant. The locally connected layer is neither, and a flattened readout, with a weight for each
# place, is not invariant although the layer below it is equivariant. So "convolutions are translation invariant" is wrong for
# the layer, and for a network it depends on the readout.
#
# ## Pooling: how far can a feature move before the output changes?
#
# Let one unit of a feature map answer, and pool with windows of $k$ units, one beside the other. The feature can sit at any
# of the $k$ places of its window. We shift it by $\delta$ and count the places from which the pooled map stays the same.


# %%
def share_unchanged(pool: Callable[..., Tensor], k: int, width: int, shift: int) -> float:
    """The share of the k places in a window from which a feature can move by shift and the pooled map stays the same."""
    line = torch.zeros(k, 1, 6 * k)
    for place_in_window in range(k):
        line[place_in_window, 0, 2 * k + place_in_window :][:width] = 1
    return float((pool(line, k) == pool(circular(line, (shift,)), k)).all(2).float().mean())


for k in (2, 4, 8):
    assert sum(share_unchanged(max_pool1d, k, 1, shift) for shift in range(1, 9)) == (k - 1) / 2  # steps, on average
    for width in range(1, k + 1):
        for shift in range(1, 9):
            stays_in_one = max(0, k + 1 - width - shift)  # places from which the whole feature stays in its window
            stays_in_two = max(0, width - 1 - shift)  # places from which it lies across two windows, before and after
            assert share_unchanged(avg_pool1d, k, width, shift) == stays_in_one / k
            assert share_unchanged(max_pool1d, k, width, shift) == (stays_in_one + stays_in_two) / k

line = torch.rand(1, 1, 24, generator=torch.Generator().manual_seed(0)) * 0.2  # other units answer weakly
line[0, 0, 8] = 1.0
one_step = circular(line, (1,))
unit = 2  # sees places 8 to 11, before the shift and after it
assert max_pool1d(line, 4)[0, 0, unit] == max_pool1d(one_step, 4)[0, 0, unit] == 1  # the maximum does not see the others
assert avg_pool1d(line, 4)[0, 0, unit] != avg_pool1d(one_step, 4)[0, 0, unit]  # the average does

figure, axes = drawing(width=4.8, height=2.8)
for rank, k in enumerate((2, 4, 8)):
    shares = [share_unchanged(max_pool1d, k, 1, shift) for shift in range(9)]
    axes.plot(range(9), shares, color=hue("", rank).light, marker=hue("", rank).marker, label=f"windows of {k}")
axes.set(xlabel="shift of the feature (units)", ylabel="share of places\nwith the same output", ylim=(-0.04, 1.04))
axes.legend()
show(
    figure,
    alt="Three falling lines. The share of places from which the pooled map stays the same falls from 1 at no shift "
    "to 0 at a shift by 2, 4 and 8 units, the size of the window.",
    caption="Pooling with windows of k units forgives a shift by one unit from (k - 1)/k of the places, and never a shift "
    "by k. At the end of its window, one step of the feature is enough to change the output.",
)

# %% [markdown]
# For a feature that is one unit wide the share is $(k - \delta)/k$, for maximum and average alike: it can move by $(k-1)/2$
# units on average and by $k-1$ at most. A feature of $w$ units has to stay in its window as a whole, which it does from
# $k + 1 - w - \delta$ places. While it lies across two windows, the maximum of both stays as it is, too, but their averages
# change with every step. They also change with weaker answers that enter the window, which the maximum ignores. So pooling
# makes a network insensitive to *some small* shifts. It does not make it invariant.
#
# ## Stride breaks equivariance, anti-aliasing mends some of it
#
# After a stride of $s$ there are only shifts by whole units of $s$ pixels left: $f(T_{\delta} x) = T_{\delta/s} f(x)$ can
# hold for multiples of $s$ alone. The same happens in pooling, which keeps every $k$-th unit. Two remedies: *blur* before
# leaving units out, so that less depends on which ones are kept (Zhang 2019), or *choose* those with the largest norm, a
# choice that moves along with the image (adaptive polyphase sampling, APS; Chaman and Dokmanić 2021). In convexp they are
# `model.pool=max_blur` and `model.pool=max_aps`.
#
# We compare five networks of two stages with random weights. Four end in a global mean and leave out units in different ways,
# and one has a flattened readout. `invariances` tells from the geometry alone, before there are weights, which shifts leave
# the scores as they are.


# %%
def skeleton(pool: Any, readout: Any, stride: int = 1) -> Skeleton:
    stages = [Stage(c, (3, 3), (stride,) * 2, (1, 1), (1, 1), "circular", pool, (2, 2)) for c in (8, 16)]
    return Skeleton((1, 16, 16), 10, tuple(stages), readout, (), "relu", "none", bias=True)


def change(skeleton: Skeleton, shifts: range, seeds: int = 3) -> Tensor:
    """How far the scores move, in units of the distance of an image's scores from the mean of all images: (seeds, shifts)."""
    rows: list[Tensor] = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        network, images = Network(skeleton, Conv2d, mean=[0.0], std=[1.0]), 255 * x
        with torch.no_grad():
            scores = network(images)
            scale = (scores - scores.mean(0)).norm(dim=1)
            moved = [(network(circular(images, (0, right))) - scores).norm(dim=1) / scale for right in shifts]
        rows.append(torch.stack(moved).mean(1))
    return torch.stack(rows)


networks = {
    "max pooling, flattened": skeleton("max", "flatten"),
    "stride 2, global mean": skeleton("none", "global_avg", stride=2),
    "max pooling, global mean": skeleton("max", "global_avg"),
    "max and blur, global mean": skeleton("max_blur", "global_avg"),
    "max and APS, global mean": skeleton("max_aps", "global_avg"),
}
shifts = range(5)
found = {name: change(made, shifts) for name, made in networks.items()}
print(f"{'':25} shift by 1    exactly the same")
for name, made in networks.items():
    step = invariances(made, Wiring("conv"), circular=True)[1].step  # 0: for no shift
    rows = found[name]
    print(f"{name:25} {rows[:, 1].min():.2f} to {rows[:, 1].max():.2f}  {f'multiples of {step}' if step else 'never'}")
    for shift in shifts[1:]:
        assert (rows[:, shift] < 1e-4).all() == bool(step and shift % step == 0)  # geometry knew it
assert found["max and blur, global mean"][:, 1].max() < 0.7 * found["max pooling, global mean"][:, 1].min()  # some of it
assert found["max and APS, global mean"].max() < 1e-4  # all of it

flat, *others, blurred, _ = (rows.mean(0)[1:].tolist() for rows in found.values())  # at shifts by 1 to 4 pixels
plain = [value for rows in others for value in rows[:3]]
assert flat == sorted(flat)
assert abs(blurred[0] - blurred[2]) < 0.05

figure, axes = drawing(width=4.8, height=3.6)
for rank, (name, rows) in enumerate(found.items()):
    look = hue("conv") if "APS" in name else hue("", rank)
    axes.plot(shifts, rows.mean(0), color=look.light, marker=look.marker, label=name)
    axes.fill_between(shifts, rows.amin(0), rows.amax(0), color=look.light, alpha=0.15, linewidth=0)
axes.set(xlabel="shift (pixels)", ylabel="change of the scores", xticks=list(shifts), ylim=(-0.1, None))
figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", fontsize=9)
show(
    figure,
    alt="Change of the scores by shift, from 0 to 4 pixels, for five networks. Flattened it grows with every pixel, "
    f"to {flat[-1]:.1f}. With a global mean and stride 2 or max pooling it is {min(plain):.1f} to {max(plain):.1f}, and back "
    f"at 0 at 4 pixels. With blur it is {blurred[0]:.1f} at 1 and 3 pixels and 0 at 2 and 4. With APS it is 0 throughout.",
    caption="How much the scores of random networks change when the image moves; 1 is the typical distance of an image "
    "from the mean (mean and range over n = 3 draws of the weights). Blur mends some of it, APS all of it, a "
    "flattened readout nothing.",
)

# %% [markdown]
# ## At the border
#
# So far the image was a circle. Real images end, and most networks put zeros around them (`padding_mode=zeros`). A unit that
# sees the border sees something that did not move along. With kernels of 3 by 3, each layer carries the disturbance one unit
# further inwards.

# %%
depth = 6
stages = [Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "none", (1, 1)) for _ in range(depth)]
torch.manual_seed(0)
network = Network(Skeleton((1, 16, 16), 10, tuple(stages), "global_avg", (), "relu", "none", bias=True), Conv2d, [0.0], [1.0])
images = 255 * x
with torch.no_grad():
    before, after = (network.features(i) for i in (images, zero_fill(images, (0, 1))))  # nothing of the digit is cut off
    by_column = torch.stack(
        [(a[..., 1:] - b[..., :-1]).abs().amax((0, 1, 2)) / b.abs().amax() for b, a in zip(before, after, strict=True)]
    )  # (depth, 15), the columns 1 to 15
for layer, row in enumerate(by_column, start=1):
    reached = (
        layer - 1
    )  # columns on each side; the first layer sees zeros beside a black background, and cannot tell them apart
    assert row[reached : 15 - reached].max() < 1e-6
    assert not reached or min(row[reached - 1], row[15 - reached]) > 1e-5

numbers = measure(network, images, torch.zeros(64).long(), Equivariance(max_shift=1, max_images=64)).numbers
full = [numbers[f"equivariance/stages.{i}/full"] for i in range(depth)]
interior = [numbers[f"equivariance/stages.{i}/interior"] for i in range(depth)]
for layer, (everywhere, inside) in enumerate(zip(full, interior, strict=True), start=1):
    print(f"layer {layer}: all units {everywhere:.2f}   interior {inside:.2f}")
assert max(interior) < 1e-5
assert min(full) > 0.1
# Layer 1: only where units entered, where the probe expects zeros and the layer gives ReLU(u).
assert by_column[0].max() < 1e-6 < 0.1 < full[0]

figure, axes = drawing(width=4.8, height=2.8)
picture = axes.pcolormesh(range(1, 16), range(1, depth + 1), by_column.clamp(min=1e-4), norm="log", cmap="cividis")
axes.set(xlabel="column of the feature map", ylabel="layer", xticks=[1, 5, 10, 15], yticks=range(1, depth + 1))
axes.invert_yaxis()
axes.grid(False)
bar = figure.colorbar(picture, ax=axes, ticks=[1e-4, 1e-3, 1e-2, 1e-1], label="error (share of the maximum)")
bar.ax.set_yticklabels(["0", "0.001", "0.01", "0.1"])
show(
    figure,
    alt="A heat map of the equivariance error by layer and column. It is 0 in the middle and grows inwards from both "
    "edges by one column with each layer: no column after layer 1, 5 on each side after layer 6.",
    caption="Equivariance error after a shift by one pixel, by column, for six layers with zeros around them. Layer by "
    "layer the border is felt one column further inwards; in between, the layers are exactly equivariant.",
)

# %% [markdown]
# The probe `equivariance` of convexp measures the same on trained networks: *interior* is the error over the units that see
# no border. *full* is over all units, and also counts the row or column that entered, for which the probe expects zeros; in
# layer 1 above that is all of it. A network with zeros around its maps can learn where things are from the border alone (Kayhan
# and van Gemert 2020), even if it ends in a global mean. Lesson 9 asks when one wants that.
#
# ## To try
#
# 1. Let the image shift by 3 pixels in the table of errors, but give the convolution `stride=3` and make all sizes 15 in
#    place of 16. Which shift of the map belongs to it, and which error do you find?
#    <details><summary>Answer</summary>$T_{\delta/s}$ is a shift by one unit, and the error is 0: 3 is a multiple of the
#    stride.</details>
# 2. Replace the global mean by a global maximum, `ReadoutLayer("global_max")`. Is it invariant?
#    <details><summary>Answer</summary>Yes. The maximum does not depend on where it is, either.</details>
# 3. Compare `local` with the geometry's word:
#    `invariances(networks["max and APS, global mean"], Wiring("local"), circular=True)`.
#    <details><summary>Answer</summary>The step is 0: without shared weights no shift leaves the scores as they are.</details>
# 4. `convexp-explain model=conv model.pool=max_aps model.stride=1 model.padding_mode=circular model.readout=global_avg` says
#    for any network of convexp what this lesson measured. Take away one setting after the other.
#
# ## Sources
#
# A. Zhang and others, *Dive into Deep Learning*, section "From Fully Connected Layers to Convolutions". I. Goodfellow, Y.
# Bengio and A. Courville, *Deep Learning*, sections 9.2 and 9.3. R. Zhang 2019, *Making Convolutional Networks
# Shift-Invariant Again*, arXiv 1904.11486. A. Chaman and I. Dokmanić 2021, *Truly shift-invariant convolutional neural
# networks*, arXiv 2011.14214. O. S. Kayhan and J. C. van Gemert 2020, *On Translation Invariance in CNNs*, arXiv 2003.07064.
