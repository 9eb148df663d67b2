# %% [markdown]
# # 3. Convolution itself
#
# At the end of this lesson you can compute a convolution by hand, say how it differs from a cross-correlation and why learning
# does not care, and tell from kernel size, padding, stride and dilation how large the output is and which pixels it sees.
#
# ## An average that moves along
#
# A car drives at a constant speed, and every second a receiver measures its position $x(t)$, with noise. A weighted average of
# the measurements is less noisy. Recent measurements shall weigh more than old ones:
#
# $$s(t) = \sum_{a} x(t-a)\, w(a)$$
#
# Here $a$ is the age of a measurement. Two more things are asked of the weights: they sum to one, or else $s$ is no average;
# and $w(a) = 0$ for $a < 0$, as measurements from the future are not known yet. This sum is a *convolution*, written
# $s = x * w$.

# %%
from itertools import product

import torch
from torch.nn import functional as F

from convexp.layers import (
    Conv1d,
    Conv2d,
    as_dense,
    convolve,
    correlate,
    extent,
    flip,
    output_size,
    receptive_field,
    transposed_output_size,
    with_holes,
)
from convexp.pictures.palette import hue
from convexp.teaching import drawing, numbers_in_cells, show, step_through

torch.manual_seed(0)
speed, noise, steps, memory = 0.5, 4.0, 100, 8  # metres per second, metres, measurements, and how many are averaged
position = 10 + speed * torch.arange(steps).double()
measured = position + noise * torch.randn(steps).double()

w = 0.75 ** torch.arange(memory).double()  # w[a], the weight of a measurement of age a
w = w / w.sum()
assert (w[:-1] > w[1:]).all()
assert torch.isclose(w.sum(), torch.tensor(1.0).double())

known = slice(memory - 1, steps)  # from the first time on at which there are enough measurements
average = convolve(measured, w)[known]

changed = measured.clone()
changed[60:] += 1000  # another future
assert torch.equal(convolve(changed, w)[memory - 1 : 60], average[: 60 - (memory - 1)])

# %% [markdown]
# The average has a price. Its measurements are on average $\sum_a a\, w(a)$ seconds old, and in this time the car has moved on.
# Without noise the average is behind by exactly speed times mean age. With noise it is still much nearer to the true position
# than a single measurement, as the variance of the noise is multiplied by $\sum_a w(a)^2$.

# %%
age = (torch.arange(memory) * w).sum()
assert torch.allclose(convolve(position, w)[known], position[known] - speed * age)
errors = [float((values - position[known]).square().mean().sqrt()) for values in (measured[known], average)]
assert errors[1] < 0.75 * errors[0]
smoothed = convolve(torch.randn(20_000).double(), w).var()  # noise of variance 1
assert 0.9 < smoothed / w.square().sum() < 1.1
print(f"error of one measurement {errors[0]:.1f} m")
print(f"error of the average     {errors[1]:.1f} m")
print(f"its lag                  {speed * age:.1f} m")

figure, axes = drawing(width=4.8, height=3)
time = torch.arange(steps)
axes.plot(time, position, color=hue("", 0).light, linestyle="--", label="true position")
axes.plot(time, measured, color=hue("local").light, marker=".", linestyle="none", label="measured")
axes.plot(time[known], average, color=hue("dense").light, label="weighted average")
axes.set(xlabel="time (s)", ylabel="position (m)")
axes.legend()
show(
    figure,
    alt=f"Measurements scatter around a straight line with an error of {errors[0]:.1f} metres; the weighted average stays "
    f"nearer, with {errors[1]:.1f} metres.",
    caption="Positions of a car: measured once a second, and the average of the last eight measurements with weights that "
    "fall by a quarter for each second of age.",
)

# %% [markdown]
# ## One function over the other, flipped
#
# For a fixed $t$ the sum $\sum_\tau f(\tau)\, g(t-\tau)$ runs over $\tau$. As a function of $\tau$, $g(t-\tau)$ is $g$ turned
# round and moved to $t$. Where both overlap, the products count. As $t$ grows, the flipped $g$ slides over $f$ from left to
# right.

# %%
f, g = torch.tensor([2, 2, 1, 3]), torch.tensor([3, 2, 1])
overlap = convolve(f, g)
assert overlap.tolist() == [6, 10, 9, 13, 7, 3]

figures = []
for t in range(len(overlap)):
    figure, (above, below) = drawing(2, 1, width=4.8, height=4, sharex=True)
    above.bar(torch.arange(4) - 0.2, f, 0.4, color=hue("dense").light, label="f(τ)")
    above.bar(t - torch.arange(3) + 0.2, g, 0.4, color=hue("local").light, label=f"g({t} - τ)")
    pairs = [(int(f[tau]), int(g[t - tau])) for tau in range(4) if 0 <= t - tau < 3]
    assert sum(a * b for a, b in pairs) == overlap[t]
    above.set_title(f"{' + '.join(f'{a}·{b}' for a, b in pairs)} = {int(overlap[t])}", fontsize=11)
    above.set(xlim=(-2.7, 5.7), ylim=(0, 5), xlabel="τ")
    above.legend(loc="upper left", ncols=2)
    below.bar(range(t + 1), overlap[: t + 1], 0.4, color=hue("conv").light)
    below.set(ylim=(0, 15), xlabel="t", ylabel="(f * g)(t)")
    figures.append(figure)
step_through(
    figures,
    [f"t = {t}" for t in range(len(figures))],
    alt="Bars of f, with values 2, 2, 1, 3, and of g turned round, with values 1, 2, 3, at time t; below the results so far, "
    "in the end 6, 10, 9, 13, 7, 3.",
    caption="Step through the times. Above, g is turned round and ends at t; the sum of the products where both have bars is "
    "the next bar below.",
)

# %% [markdown]
# ## Two dimensions, by hand
#
# For an image $x$ and a kernel $V$ both indices are counted this way:
#
# $$h_{i,j} = \sum_{a,b} V_{a,b}\, x_{i-a,\,j-b}$$
#
# With pixels outside of the image taken as zero, an image of 3 by 3 and a kernel of 3 by 3 give 5 by 5 outputs. Here is each
# of them, without the taps of the kernel that are zero.

# %%
image = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
kernel = torch.tensor([[1, 0, 2], [0, 3, 0], [0, 0, -1]])
full = convolve(image, kernel)  # 5 x 5

for i, j in product(range(5), repeat=2):
    taps = [(a, b) for a, b in product(range(3), repeat=2) if kernel[a, b] and 0 <= i - a < 3 and 0 <= j - b < 3]
    terms = [(int(kernel[a, b]), int(image[i - a, j - b])) for a, b in taps]
    assert sum(v * pixel for v, pixel in terms) == full[i, j]
    written = " + ".join(f"{v}·{pixel}" for v, pixel in terms) or "only zero taps"
    print(f"h[{i},{j}] = {written.replace('+ -', '- ')} = {full[i, j]}")

# %% [markdown]
# The nine outputs in the middle come from placing the flipped kernel with its centre on each pixel.

# %%
bordered = F.pad(image, [1] * 4)
figures, so_far = [], torch.full((3, 3), torch.nan)
for i, j in product(range(3), repeat=2):
    so_far[i, j] = full[i + 1, j + 1]
    assert so_far[i, j] == (bordered[i : i + 3, j : j + 3] * flip(kernel, 2)).sum()
    figure, (left, centre, right) = drawing(1, 3, width=4.8, height=2.2, width_ratios=(5, 3, 3))
    window = product(range(i, i + 3), range(j, j + 3))
    numbers_in_cells(left, bordered, title="image and border", marked=window)
    numbers_in_cells(centre, flip(kernel, 2), title="flipped", colours="RdBu_r")
    numbers_in_cells(right, so_far, title="output", marked=[(i, j)])
    figures.append(figure)
step_through(
    figures,
    [f"{i},{j}" for i, j in product(range(3), repeat=2)],
    alt="An image of 3 by 3 with the numbers 1 to 9 and a border of zeros, a window of 3 by 3 that moves over it, the flipped "
    f"kernel, and the outputs so far, in the end {full[1:4, 1:4].tolist()}.",
    caption="Step through the places of the window. Multiply each number in the frame by the number at the same place of the "
    "flipped kernel, and add up.",
)

# %% [markdown]
# ## To flip or not to flip
#
# Without the flip the sum is called *cross-correlation*. It is what the libraries of deep learning compute under the name of
# convolution:
#
# $$h_{i,j} = \sum_{a,b} V_{a,b}\, x_{i+a,\,j+b}$$
#
# Each is the other with the kernel turned by 180 degrees.

# %%
layer = Conv2d(1, 1, kernel_size=3, input_size=3, padding=2, bias=False)
with torch.no_grad():
    layer.weight.copy_(kernel)
    assert torch.equal(layer(image[None, None].float())[0, 0], convolve(image.float(), flip(kernel, 2).float()))
assert torch.equal(convolve(image, kernel)[2:3, 2:3], correlate(image, flip(kernel, 2)))  # where the kernel fits

# %% [markdown]
# As a kernel is learned, the flip makes no difference to what a network can compute. We learn a kernel by gradient descent
# from an image and its filtered version, once with each operation. The outputs become the same, and one kernel is the other,
# flipped.

# %%
picture = torch.randn(16, 16)
wanted = kernel.float()
target = correlate(picture, wanted)


def without_flip(kernel: torch.Tensor) -> torch.Tensor:
    return correlate(picture, kernel)


def with_flip(kernel: torch.Tensor) -> torch.Tensor:
    return convolve(picture, kernel)[2:-2, 2:-2]  # where the kernel fits


learned = []
for operation in (without_flip, with_flip):
    guess = torch.randn(3, 3, requires_grad=True)
    for _ in range(200):
        loss = (operation(guess) - target).square().mean()
        (slope,) = torch.autograd.grad(loss, guess)
        with torch.no_grad():
            guess -= 0.2 * slope
    learned.append(guess.detach())
assert torch.allclose(without_flip(learned[0]), with_flip(learned[1]), atol=1e-3)
assert torch.allclose(learned[0], wanted, atol=1e-3)
assert torch.allclose(learned[1], flip(wanted, 2), atol=1e-3)

figure, axes = drawing(1, 3, width=4.8, height=2)
for ax, title, values in zip(axes, ("made with", "cross-correlation", "convolution"), (wanted, *learned), strict=True):
    numbers_in_cells(ax, values.round(decimals=2), title=title, colours="RdBu_r")
show(
    figure,
    alt="Three kernels of 3 by 3: the one that made the data, the same learned by cross-correlation, and the same turned by "
    "180 degrees learned by convolution.",
    caption="The kernel that made the data (by cross-correlation), and what gradient descent found with each operation.",
)

# %% [markdown]
# ## What the flip is good for
#
# With the flip the operation commutes and associates, as a product of numbers does:
#
# $$f * g = g * f \qquad (f * g) * h = f * (g * h)$$
#
# So two convolutions in a row are one convolution with a larger kernel, as long as no nonlinearity stands between them. A
# cross-correlation does neither.

# %%
first, second, third = (torch.randint(-5, 6, (size, size)) for size in (6, 3, 3))
assert torch.equal(convolve(first, second), convolve(second, first))
assert torch.equal(convolve(convolve(first, second), third), convolve(first, convolve(second, third)))
assert convolve(second, third).shape == (5, 5)


def correlate_in_full(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    return correlate(F.pad(x, [side - 1 for side in kernel.shape for _ in range(2)]), kernel)


swapped = correlate_in_full(second, first)
assert torch.equal(correlate_in_full(first, second), flip(swapped, 2))  # swapping the two flips the result
assert not torch.equal(correlate_in_full(first, second), swapped)
one_way = correlate_in_full(correlate_in_full(first, second), third)
assert not torch.equal(one_way, correlate_in_full(first, correlate_in_full(second, third)))

# %% [markdown]
# ## Sizes: valid, same, full
#
# How much border is added decides how large the output is. *Valid* adds none: the kernel lies within the image. *Same* adds
# $(k-1)/2$ pixels on each side, which keeps the size, and needs an odd $k$. *Full* adds $k-1$: every overlap counts.

# %%
for name, padding, size in (("valid", 0, 1), ("same", 1, 3), ("full", 2, 5)):
    assert output_size((3, 3), (3, 3), (1, 1), (padding, padding), (1, 1)) == (size, size)
    offset = 2 - padding
    part = full[offset : 5 - offset, offset : 5 - offset]
    assert torch.equal(F.conv2d(image[None, None], flip(kernel, 2)[None, None], padding=padding)[0, 0], part), name

figure, axes = drawing(width=4.8, height=2.6)
numbers_in_cells(axes, torch.full((5, 5), torch.nan), marked=[(2, 2)])
numbers_in_cells(axes, full, title="all 25 outputs", marked=product(range(1, 4), repeat=2), mark=hue("dense").light)
show(
    figure,
    alt="The 5 by 5 outputs of the example; the one in the middle and the 3 by 3 in the middle are framed.",
    caption="All outputs are full, the nine in the large frame are same, and the one in the small frame is valid.",
)

# %% [markdown]
# ## Borders, and what happens at the edge
#
# What lies outside of an image is an assumption. *Zeros* say that there is nothing, a *mirror* (`reflect`) repeats what is
# near without the edge itself, and a *circular* border takes the other end. We average each pixel and its two neighbours for a
# signal that rises by 3 from pixel to pixel. In the interior the border does not matter. At both ends every
# border has a mistake of its own: if the signal went on as it rises, the averages there would be 6 and 21.

# %%
ramp = torch.arange(6.0, 22, 3)
MODES = {"zeros": "constant", "reflect": "reflect", "circular": "circular"}  # convexp's names, and those of F.pad
outputs = {}
for border in MODES:
    layer = Conv1d(1, 1, kernel_size=3, input_size=6, padding=1, padding_mode=border, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1)
        outputs[border] = (layer(ramp[None, None])[0, 0] / 3).tolist()
assert outputs["zeros"] == [5, 9, 12, 15, 18, 13]  # darker at both ends
assert outputs["reflect"] == [8, 9, 12, 15, 18, 19]  # the slope is bent
assert outputs["circular"] == [12, 9, 12, 15, 18, 15]  # the other end shows

figure, axes = drawing(6, 1, width=4.8, height=4.6)
for row, (border, mode) in enumerate(MODES.items()):
    shown = F.pad(ramp[None, None], [1, 1], mode=mode)[0, 0]
    numbers_in_cells(axes[2 * row], shown, title=f"{border}: the signal and its border", marked=[(0, 0), (0, 7)])
    averages = torch.tensor([torch.nan, *outputs[border], torch.nan])
    numbers_in_cells(axes[2 * row + 1], averages, title="averages of three", colours="cividis", limits=(0, 21))
show(
    figure,
    alt=f"Three signals with borders and their averages: zeros {outputs['zeros']}, reflect {outputs['reflect']}, circular "
    f"{outputs['circular']}.",
    caption="The framed cells are made up by the border. The averages differ in the first and the last number only.",
)

# %% [markdown]
# In an image of one brightness a border of zeros is visible, too: the average is smaller at the edge, and smallest in the
# corners. So a unit at the edge can tell where it is, which a network can use or suffer from.

# %%
bright = Conv2d(1, 1, kernel_size=3, input_size=4, padding=1, bias=False)
with torch.no_grad():
    bright.weight.fill_(1)
    ninths = bright(torch.ones(1, 1, 4, 4))[0, 0].tolist()
assert ninths == [[4, 6, 6, 4], [6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]]

# %% [markdown]
# ## Stride and dilation
#
# A *stride* $s$ moves the kernel by $s$ pixels from one output to the next: it is the convolution with stride 1, of which only
# every $s$-th output is kept. A *dilation* $d$ pulls the taps of the kernel apart: it is the convolution with a kernel that has
# $d - 1$ zeros between its taps, and covers $d(k-1)+1$ pixels.

# %%
signal = torch.randint(-9, 10, (1, 1, 10)).float()
weight = torch.tensor([[[2.0, -1, 3]]])
assert torch.equal(F.conv1d(signal, weight, stride=2), F.conv1d(signal, weight)[..., ::2])
assert torch.equal(F.conv1d(signal, weight, dilation=2), F.conv1d(signal, with_holes(weight, (2,))))
assert with_holes(weight, (2,)).tolist() == [[[2, 0, -1, 0, 3]]]
assert extent(3, dilation=2) == 5
assert receptive_field((3,) * 4, (1,) * 4, (1, 2, 4, 8))[0] == 31  # four layers, each with twice the dilation
assert receptive_field((3,) * 4, (1,) * 4, (1,) * 4)[0] == 9  # the same without dilation

# %% [markdown]
# Some pixels may not be seen at all. If the stride is larger than the kernel, there are gaps between the windows; if the last
# step does not fit, the end of the signal is left out; and if stride and dilation are both 2, every second pixel is. A pixel
# that no window covers has a gradient of zero.

# %%
LAYERS = {
    "kernel 3": (3, 1, 1, [1, 2, 3, 3, 3, 3, 3, 3, 2, 1]),
    "kernel 3, stride 2": (3, 2, 1, [1, 1, 2, 1, 2, 1, 2, 1, 1, 0]),
    "kernel 2, stride 3": (2, 3, 1, [1, 1, 0, 1, 1, 0, 1, 1, 0, 0]),
    "kernel 3, stride 2, dilation 2": (3, 2, 2, [1, 0, 2, 0, 3, 0, 2, 0, 1, 0]),
}
figure, axes = drawing(4, 1, width=4.8, height=3.4)
for ax, (name, (size, stride, dilation, expected)) in zip(axes, LAYERS.items(), strict=True):
    layer = Conv1d(1, 1, size, 10, stride=stride, dilation=dilation)
    seen = torch.count_nonzero(as_dense(layer).weight, 0)  # windows that cover each pixel
    assert seen.tolist() == expected
    pixels = signal.clone().requires_grad_()
    layer(pixels).square().sum().backward()
    assert torch.equal(pixels.grad[0, 0] == 0, seen == 0)
    unseen = [(0, int(pixel)) for pixel in torch.nonzero(seen == 0)]
    numbers_in_cells(ax, seen, title=name, colours="cividis", limits=(0, 3), marked=unseen)
show(
    figure,
    alt="For four layers the number of windows that cover each of ten pixels. "
    + "; ".join(f"{name}: {', '.join(map(str, counts))}" for name, (_, _, _, counts) in LAYERS.items()),
    caption="How many windows cover each of ten pixels. The framed pixels are never seen.",
)

# %% [markdown]
# ## The transposed convolution and its checkerboard
#
# A convolution with stride 2 is a matrix with fewer rows than columns. The transposed matrix goes the other way, from the small
# image to the large one: each input pixel puts a copy of the kernel into the output, and the copies are two pixels apart. It
# returns the size, not the values.

# %%
down = Conv1d(1, 1, kernel_size=3, input_size=9, stride=2, bias=False)
with torch.no_grad():
    down.weight.copy_(weight)
matrix = as_dense(down).weight.detach()  # (4, 9)
small = torch.randint(-9, 10, (4,)).float()
assert torch.equal(F.conv_transpose1d(small[None, None], weight, stride=2)[0, 0], matrix.T @ small)
assert transposed_output_size((4,), (3,), (2,), (0,), (1,), (0,)) == (9,)

# %% [markdown]
# If the stride does not divide the kernel size, some output pixels get more copies than others, and even an image of one
# brightness comes out as a checkerboard. With a kernel size of 4 the overlap is even. So it is if pixels are first repeated and
# then convolved with stride 1.

# %%
ones = torch.ones(1, 1, 4, 4)
uneven, even = (F.conv_transpose2d(ones, torch.ones(1, 1, side, side), stride=2)[0, 0] for side in (3, 4))
assert uneven.unique().tolist() == [1, 2, 4]
assert uneven[2:7, 2:7].unique().tolist() == [1, 2, 4]  # in the interior, too
assert even[2:-2, 2:-2].unique().tolist() == [4]
assert F.conv2d(ones.repeat_interleave(2, 2).repeat_interleave(2, 3), torch.ones(1, 1, 3, 3)).unique().tolist() == [9]

figure, axes = drawing(1, 2, width=4.8, height=2.7)
for ax, title, values in zip(axes, ("kernel 3, stride 2", "kernel 4, stride 2"), (uneven, even), strict=True):
    numbers_in_cells(ax, values, title=title, colours="cividis", limits=(0, 4))
show(
    figure,
    alt="Copies per output pixel of a transposed convolution of 4 by 4 ones. Kernel 3: 1, 2 and 4 in turn, as a checkerboard. "
    "Kernel 4: 4 everywhere but at the border.",
    caption="How many copies of the kernel each output pixel gets. On the left they alternate, and on the right they are even "
    "but for the border.",
)

# %% [markdown]
# ## The arithmetic of sizes
#
# For input size $i$, kernel size $k$, padding $p$ on each side, stride $s$ and dilation $d$, in each dimension:
#
# $$o = \left\lfloor \frac{i + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# The transposed convolution turns that round, $i = s(o-1) - 2p + d(k-1) + 1 + r$. The rest $r$ stands for what the floor cut
# off; several input sizes give the same output, and $r$ says which one is meant. Every row of the table is computed by the
# formula and by a layer.

# %%
TABLE = (  # name, i, k, s, p, d
    ("valid", 5, 3, 1, 0, 1),
    ("same", 5, 3, 1, 1, 1),
    ("full", 5, 3, 1, 2, 1),
    ("1x1 kernel", 5, 1, 1, 0, 1),
    ("stride 2", 5, 3, 2, 0, 1),
    ("a pixel left over", 6, 3, 2, 0, 1),
    ("half the size", 28, 5, 2, 2, 1),
    ("pooling 2x2", 28, 2, 2, 0, 1),
    ("dilation 2", 7, 3, 1, 0, 2),
    ("dilation 2, same", 7, 3, 1, 2, 2),
    ("224 pixels, 7x7", 224, 7, 2, 3, 1),
)
print(f"{'':18}   i  k  s  p  d    o  r")
sizes = {}
for name, i, k, s, p, d in TABLE:
    (o,) = output_size((i,), (k,), (s,), (p,), (d,))
    r = (i + 2 * p - d * (k - 1) - 1) % s
    assert Conv1d(1, 1, k, i, s, p, d)(torch.zeros(1, 1, i)).shape == (1, 1, o)
    assert transposed_output_size((o,), (k,), (s,), (p,), (d,), (r,)) == (i,)
    back = F.conv_transpose1d(torch.zeros(1, 1, o), torch.zeros(1, 1, k), None, s, p, r, 1, d)
    assert back.shape == (1, 1, i)
    sizes[name] = o
    print(f"{name:18} {i:3} {k:2} {s:2} {p:2} {d:2}  {o:3} {r:2}")
assert list(sizes.values()) == [3, 5, 7, 5, 2, 2, 14, 14, 3, 7, 112]

# %% [markdown]
# ## What to try
#
# 1. A network for sound shall see 1000 samples. How many layers with kernel size 3 does it take without dilation, and how many
#    if the dilation doubles from layer to layer?
#
# <details><summary>Answer</summary>
# Each layer adds 2 times its dilation: $1 + 2n \ge 1000$ takes 500 layers, and $1 + 2(2^n - 1) \ge 1000$ takes 9.
# </details>
#
# 2. What does the average of the car become if `w` is not normalised, or if it includes the next measurement?
#
# <details><summary>Answer</summary>
# It is multiplied by the sum of the weights, so that the car seems to be elsewhere. With the next measurement it lags behind
# less, but is known one second later only.
# </details>
#
# 3. Two layers with dilation 2 and kernel size 3 follow each other. Which pixels does a unit see?
#
# <details><summary>Answer</summary>
# Five of the nine pixels of its receptive field, every second one. Neighbouring units never see a common pixel.
# </details>
#
# *Sources:* Dumoulin and Visin 2016, A Guide to Convolution Arithmetic for Deep Learning, arXiv 1603.07285; Goodfellow,
# Bengio, Courville, Deep Learning, sections 9.1 (a sensor that follows a spaceship, here a car) and 9.5; Zhang, Lipton,
# Li, Smola, Dive into Deep Learning, sections "Convolutions for Images" and "Padding and Stride"; Odena, Dumoulin, Olah 2016,
# Deconvolution and Checkerboard Artifacts, Distill; Kayhan and van Gemert 2020, arXiv 2003.07064, for what borders give away.

# %%
assert [receptive_field((3,) * n, (1,) * n, (1,) * n)[0] >= 1000 for n in (499, 500)] == [False, True]
assert [receptive_field((3,) * n, (1,) * n, [2**i for i in range(n)])[0] >= 1000 for n in (8, 9)] == [False, True]
spread = with_holes(torch.ones(3), (2,))
assert convolve(spread, spread).tolist() == [1, 0, 2, 0, 3, 0, 2, 0, 1]
