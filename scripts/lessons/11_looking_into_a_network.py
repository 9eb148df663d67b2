# %% [markdown]
# # 11. Looking into a network
#
# At the end of this lesson you can put four questions to any trained network of images: what its first layer looks for,
# what its layers make of an image, which input a unit answers to most, and which pixels an answer depends on.
#
# We ask a dense, a locally connected and a convolutional network, each trained for seconds on small digits (one of each, so
# that what differs between them here is an observation, not a statistic). With `run=DIR` the lesson looks into a run of
# your own instead: `python scripts/lessons/11_looking_into_a_network.py run=outputs/runs/NAME`.

# %%
import itertools
import tempfile
from collections.abc import Callable

import torch
from torch import Tensor, nn

import convexp
import convexp.runs
from convexp.data.canvas import zero_fill
from convexp.layers.base import NotLinearError
from convexp.models.representations import layout, maps
from convexp.probes import NotApplicableError, Sample
from convexp.probes.behaviour.equivariance import interior_units
from convexp.probes.behaviour.shift_features import shift_features
from convexp.probes.pictures import evenly_spaced
from convexp.probes.structure.spatial_layers import spatial_layers
from convexp.teaching import given_run, in_one_line, show, tile, tiles

SETTINGS = ("data=digits", "model.channels=[8,16]", "trainer=cpu", "trainer.max_epochs=6", "trainer.threads=1")
folder = given_run()
own = folder is None  # networks of this lesson, of which it asserts what it says
if folder is None:
    with tempfile.TemporaryDirectory() as place:
        runs = {
            wiring: convexp.train(
                f"model={wiring}", *SETTINGS, "probes=none", "logger=none", folder=f"{place}/{wiring}", progress=False
            )
            for wiring in ("dense", "local", "conv")
        }
else:
    with in_one_line():
        run = convexp.runs.open(folder)
    runs = {run.config.model.name: run}
networks = {name: run.network.requires_grad_(False) for name, run in runs.items()}
data = next(iter(runs.values())).data
images, labels = data.test.first(100)
images = images.float()  # (100, C, *size), pixels from 0 to 255
size = tuple(images.shape[2:])
for name, network in networks.items():
    right = float((network(images).argmax(1) == labels).float().mean())
    print(
        f"{name}: {100 * right:.0f} % of {len(images)} test images, {sum(p.numel() for p in network.parameters()):,} parameters"
    )
    assert not own or right > 0.85

# %% [markdown]
# ## What does the first layer look for?
#
# Unit $o$ at place $p$ computes $\sum_{c,q} W_{o,p,c,q}\, x_{c,q}$ from the pixels $q$ of the channels $c$, before its
# nonlinearity. Of all images of one length, it answers most to the one that is proportional to its weights, so the weights
# are a picture of what it looks for.

# %%
figure, axes = tiles(list(networks), 6)
first, seen = {}, []
for name, network in networks.items():
    try:
        layer = next(iter(spatial_layers(network, Sample(images, labels)).layers.values()))
        first[name] = kernels = layer.kernels().detach()  # (channels, places, C, *window)
    except (NotApplicableError, NotLinearError) as reason:
        print(f"{name}: there are no weights on the image to show: {reason}")
        continue
    channels, places = kernels.shape[:2]
    many = places > 1
    shown = evenly_spaced(places if many else channels, 6).tolist()
    for axis, each in zip(axes[name], shown, strict=False):
        weights = kernels[0, each] if many else kernels[each, 0]
        tile(axis, weights, f"{'place' if many else 'channel'} {each}", full=3 * float(weights.square().mean().sqrt()))
    window = "x".join(map(str, kernels.shape[3:]))
    sharing = f"weights of their own at {places} places" if many else "the same weights at all places"
    seen.append(f"{name}: {channels} channels, windows of {window} pixels, {sharing}")
if first:
    show(
        figure,
        alt="Weights of the first layer. " + "; ".join(seen) + ".",
        caption="Weights of units of the first layer: positive red, negative blue. Where every place has its own, one channel "
        "at six places; else six channels.",
    )
if own:
    shapes = {name: tuple(kernels.shape) for name, kernels in first.items()}
    assert shapes == {"dense": (8, 64, 1, 16, 16), "local": (8, 64, 1, 5, 5), "conv": (8, 1, 1, 5, 5)}
    middle = first["dense"].square()[..., 4:12, 4:12]  # where the digits are; around them all images are black
    assert middle.mean() > 1.5 * first["dense"].square().mean()
    kernel = first["conv"][0, 0].flatten()
    others = nn.functional.normalize(torch.randn(10000, len(kernel), generator=torch.Generator().manual_seed(0)))
    assert (others @ kernel).max() < kernel @ nn.functional.normalize(kernel, dim=0)  # images of length 1

# %% [markdown]
# The dense units show structure only where digits are. Around them every image is black, and training has nothing by which
# to tell these weights apart: their differences are the random ones that they started with. A convolution has no such
# weights, for each of them meets the digit somewhere.
#
# ## What do the layers make of an image?
#
# The output of a layer with places is a map for each channel. We shift the image by the distance of two units of the last
# map. A layer $f$ is equivariant if its map moves along. Its error is
#
# $$\frac{\lVert f(T x) - T f(x) \rVert}{\lVert T f(x) \rVert},$$
#
# over the units that see neither the border nor what entered there (lesson 7).

# %%
layouts = {name: layout(network, images) for name, network in networks.items()}
most = max(1, *(min(len(placed.maps), 4) for placed in layouts.values()))  # maps of a network, evenly spaced
figure, axes = tiles([row for name in networks for row in (name, f"{name},\nshifted")], 1 + most)
errors = {}
for name, network in networks.items():
    placed, moves = layouts[name], axes[f"{name},\nshifted"]
    for layer, reason in placed.others.items():
        print(f"{name}: no map of {layer} is shown: {reason}")
    tile(axes[name][0], images[0], "image")
    if not placed.maps:
        continue
    layers = list(placed.maps)
    chosen, last = [layers[i] for i in evenly_spaced(len(layers), most)], placed.maps[layers[-1]]
    shift = (*(0 for _ in size[1:]), int(last.stride[-1]))
    shifted = zero_fill(images, shift)
    tile(moves[0], shifted[0], f"shifted by {shift[-1]}")
    before, after = maps(network, images, chosen), maps(network, shifted, chosen)
    for column, layer in enumerate(chosen, start=1):
        where = placed.maps[layer]
        moved = shift_features(before[layer], tuple(d / s for d, s in zip(shift, where.stride, strict=True)), "zero_fill")
        inside = torch.ones(()) if where.whole else interior_units(moved, where.fields, shift, size)
        if bool((moved * inside).any()):
            errors[name, layer] = float(((after[layer] - moved) * inside).norm() / (moved * inside).norm())
            print(f"{name}: equivariance error of {layer} {errors[name, layer]:.2f}")
        else:
            print(f"{name}: {layer} has no equivariance error: every unit sees the border, or none answers")
        channel = int(before[layer][0].flatten(1).mean(1).argmax())  # the one that answers most
        pair = torch.stack((before[layer][0, channel], after[layer][0, channel]))
        for axis, one in zip((axes[name][column], moves[column]), pair, strict=True):
            tile(axis, one[None], layer, limits=(float(pair.min()), float(pair.max())))
if errors:
    said = "; ".join(f"{name}, {layer}: {error:.2f}" for (name, layer), error in errors.items())
    show(
        figure,
        alt="An image with feature maps of each network, and below it the same for the shifted image. "
        f"Equivariance error: {said}.",
        caption="An image and the channel that answers most in each map, and below the same channels for the image shifted to "
        "the right. A convolution moves its maps along.",
    )
if own:
    assert all(error < 1e-5 if name == "conv" else error > 0.5 for (name, _), error in errors.items())

# %% [markdown]
# ## What does a unit answer to most?
#
# Gradient ascent finds out (Erhan and others 2009; Simonyan and others 2014). From a grey image $g$ on it changes the
# pixels, within their range, so that the unit $u$ grows, and a small penalty keeps grey what does not matter:
#
# $$\max_{x} \; u(x) - \lambda \sum_q (x_q - g_q)^2$$
#
# We ask for three outputs, and for two neighbouring units of one channel of the last map.


# %%
def ascend(units: Callable[[Tensor], Tensor], n: int, steps: int = 100) -> Tensor:
    """Return an input ``(n, C, *size)`` with pixels from 0 to 255 for each of n units, which ``units`` returns for n inputs."""
    x = torch.full((n, *images.shape[1:]), 0.5).requires_grad_()
    for step in range(steps):
        value = units(255 * x).sum() - 0.05 * (x - 0.5).square().sum()
        (slope,) = torch.autograd.grad(value, x)
        steepest = slope.abs().flatten(1).amax(1).clamp(min=1e-12).reshape(-1, *(1 for _ in x.shape[1:]))
        with torch.no_grad():
            x += 0.1 * (1 - step / steps) * slope / steepest
            x.clamp_(0, 1)
    return 255 * x.detach()


def neighbours(grey: Tensor) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """The middle place of a map (C, *units) and the one to its right, with a channel that answers to grey: it has a slope."""
    at = tuple((units - 1) // 2 for units in grey.shape[1:])
    beside = (*at[:-1], min(at[-1] + 1, grey.shape[-1] - 1))
    return int(torch.minimum(grey[:, *at], grey[:, *beside]).argmax()), at, beside


figure, axes = tiles(list(networks), 5, side=1.1)
gains, unlike = {}, {}
for name, network in networks.items():
    outputs = network(images)
    n = min(10, outputs.shape[1])
    liked = ascend(lambda x, network=network, n=n: network(x)[:, :n].diagonal(), n)
    best, reached = outputs.amax(0)[:n], network(liked)[:, :n].diagonal()
    gains[name] = reached - best
    print(f"{name}: {n} outputs reach {reached.mean():.1f} on average; on the best of {len(images)} images, {best.mean():.1f}")
    for axis, unit in zip(axes[name], evenly_spaced(n, 3).tolist(), strict=False):
        tile(axis, liked[unit], f"output {data.class_name(unit)}")
    places = layout(network, images).maps
    if not places:
        continue
    layer, where = list(places.items())[-1]
    grey = maps(network, torch.full((1, *images.shape[1:]), 127.5), [layer])[layer]
    channel, at, beside = neighbours(grey[0])

    def two(
        x: Tensor, network: nn.Module = network, layer: str = layer, units: tuple = ((channel, *at), (channel, *beside))
    ) -> Tensor:
        found = maps(network, x, [layer])[layer]
        return torch.stack([found[i][unit] for i, unit in enumerate(units)])

    pair = ascend(two, 2)
    step = (*(0 for _ in size[1:]), int(where.stride[-1]))
    moved = zero_fill(pair[:1] - 127.5, step)[0]
    unlike[name] = float((pair[1] - 127.5 - moved).norm() / moved.norm())
    tile(axes[name][3], pair[0], "unit")
    tile(axes[name][4], pair[1], "its neighbour")
    if own:  # what a unit does not see stays grey
        outside = pair[0].clone()
        outside[:, :9, :9] = 127.5
        assert (name == "dense") == bool((outside != 127.5).any())
averages = ", ".join(f"{name} by {gain.mean():.1f}" for name, gain in gains.items())
show(
    figure,
    alt="Images to which outputs and two neighbouring units answer most. "
    f"Outputs exceed those of these {len(images)} test images: {averages}.",
    caption="What three outputs, and two neighbouring units of one channel, answer to most: white is wanted, black is not, "
    "grey does not matter. A unit of a convolution or of a local network sees a window, a dense one all.",
)
if own:
    assert all((gain > 0).all() and gain.mean() > 2 for gain in gains.values())
    assert all(value < 1e-3 if name == "conv" else value > 0.5 for name, value in unlike.items())

# %% [markdown]
# Every output can be raised above what any of these 100 test images reaches, by an image that is no digit: training has shown
# the network digits only, and nothing tells it what to answer elsewhere. Neighbouring units of a convolution answer to the
# same pattern, moved by the stride. Those of the other two have learned patterns of their own.
#
# ## Which pixels did the answer depend on?
#
# Two ways to ask. The **gradient** of the largest output says how it would change with each pixel; times the difference to
# a covered pixel it estimates what covering would do:
#
# $$u(x) - u(x') \approx \sum_q \frac{\partial u}{\partial x_q} (x_q - x'_q)$$
#
# **Occlusion** (Zeiler and Fergus 2014) covers a window of the image and measures. In a linear network the estimate is
# exact, and the gradient is the weights, whatever the image.

# %%
cover = images.movedim(1, 0).flatten(1).median(1).values.reshape(-1, *(1 for _ in size))  # the median colour; of digits black


def gradient(network: nn.Module, images: Tensor) -> Tensor:
    """The gradient of the largest output of each image with respect to its pixels, ``(n, C, *size)``."""
    x = images.clone().requires_grad_()
    return torch.autograd.grad(network(x).amax(1).sum(), x)[0]


def occlusion(network: nn.Module, image: Tensor) -> Tensor:
    """How much the largest output falls when a window is covered, around up to 16 places along each dimension."""
    centres = [range(n // 32, n, max(1, n // 16)) for n in size]
    copies = [image]
    for centre in itertools.product(*centres):
        window = (slice(max(0, c - n // 12), c + n // 12 + 1) for c, n in zip(centre, size, strict=True))
        copies.append(image.clone())
        copies[-1][(slice(None), *window)] = cover
    outputs = network(torch.stack(copies))[:, network(image[None]).argmax()]
    return (outputs[0] - outputs[1:]).reshape([len(each) for each in centres])


torch.manual_seed(0)
linear = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 10)).double().requires_grad_(False)
covered = torch.where(torch.rand(images[:, :1].shape) < 0.5, cover, images)  # half of the pixels
answers, slopes = linear(images.double()).argmax(1), gradient(linear, images.double())
assert torch.equal(slopes.flatten(1), linear[1].weight[answers])  # the gradient is the weights,
estimate = (slopes * (images - covered)).flatten(1).sum(1)
change = (linear(images.double()) - linear(covered.double())).gather(1, answers[:, None])[:, 0]
assert torch.allclose(estimate, change)  # and the estimate exact

# %%
figure, axes = tiles(list(networks), 6)
ink = (images != cover).any(1, keepdim=True)  # pixels that covering changes
erased = max(1, ink[0].numel() // 50)


def same_answers(network: nn.Module, scores: Tensor) -> float:
    """The share of images whose answer stays when the pixels of the largest scores are covered."""
    chosen = scores.masked_fill(~ink, -torch.inf).flatten(1).topk(erased).indices
    mask = torch.zeros_like(scores).flatten(1).scatter(1, chosen, 1).reshape(scores.shape).bool()
    return float((network(torch.where(mask, cover, images)).argmax(1) == network(images).argmax(1)).float().mean())


for name, network in networks.items():
    slopes = gradient(network, images)
    for column, image in ((0, images[0]), (3, images[1])):
        slope, falls = gradient(network, image[None])[0], occlusion(network, image)
        tile(axes[name][column], image, "image")
        tile(axes[name][column + 1], slope, "gradient", full=3 * float(slope.square().mean().sqrt()))
        tile(axes[name][column + 2], falls[None], "occlusion", full=float(falls.abs().max()))
    estimated = same_answers(network, (slopes * (images - cover)).sum(1, keepdim=True))
    random = same_answers(network, torch.rand(ink.shape))
    print(
        f"{name}: {erased} pixels covered, {100 * estimated:.0f} % of answers stay (by estimate), {100 * random:.0f} % (random)"
    )
    if own:
        assert estimated < 0.4 < 0.7 < random
        steep = slopes.abs().mean((0, 1))
        assert slopes.abs()[~ink].sum() > 0.4 * slopes.abs().sum()  # much of the gradient lies on black pixels
        assert steep[4:12, 4:12].mean() > 1.5 * steep.mean()  # the middle of the canvas, where the digits are
show(
    figure,
    alt="Two images, and for each network the gradient, which is scattered, and the fall by occlusion, which is on the object.",
    caption="For two images: the gradient of the largest output (red: brighter pixels would raise it), and how far that output "
    "falls when a window around the place is covered (red) or rises (blue).",
)

# %% [markdown]
# Covering the few pixels that the estimate names changes most answers, and as many pixels of the digit at random change
# few: the map does say what the answer depends on. It does not say why, and it is a statement about one image. The gradient
# alone is also large where the image is black, for it asks what would happen if something were there. Occlusion with black
# cannot see these pixels at all, since covering them changes nothing.
#
# ## To try
#
# 1. In `ascend`, begin with a black image, and leave out the penalty. What changes in the pictures, what in the values that
# are reached?
# <details><summary>Answer</summary>Pixels that do not matter stay black, and a unit that is silent on black, such as a ReLU
# below 0, has no slope to climb. Without the penalty the values are a little larger, and pixels that hardly matter become
# black or white.</details>
#
# 2. Why does the gradient of the convolution reach further around the digit than that of the dense network?
# <details><summary>Answer</summary>Its kernels are the same everywhere, so that a stroke beside the digit would excite them
# as well. The dense network has seen nothing there, and its weights there are small random numbers.</details>
#
# 3. Train with shifted digits, `convexp-train model=dense data=digits data.shift.train=4`, and look into that run with
# `run=DIR`. Where do the weights of the dense units have structure now?
# <details><summary>Answer</summary>Wherever a shifted digit has been, which is the whole canvas. Each of these places has
# had to be learned by itself.</details>
#
# **Sources.** D. Erhan and others, *Visualizing higher-layer features of a deep network* (2009); K. Simonyan, A. Vedaldi,
# A. Zisserman, *Deep inside convolutional networks*, arXiv 1312.6034 (2014); M. Zeiler, R. Fergus, *Visualizing and
# understanding convolutional networks*, arXiv 1311.2901 (2014); K. Lenc, A. Vedaldi, arXiv 1411.5908 (2015), for the
# equivariance error; Goodfellow, Bengio, Courville, *Deep Learning*, sections 9.2 and 9.10; *Dive into Deep Learning*,
# chapter on convolutions.
