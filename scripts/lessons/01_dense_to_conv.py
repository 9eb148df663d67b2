# %% [markdown]
# # 1. From dense to conv in three steps
#
# At the end of this lesson you can turn a dense layer into a convolution by two changes to its weights, and say how many
# weights each change saves.
#
# The input is an image $x$ with pixels $x_{k,l}$ in row $k$ and column $l$, and the output $h$ is an image of the same size,
# whose pixels are called units. All weights and pixels of this lesson are whole numbers. Sums of whole numbers have no rounding
# error, so we can ask for the same output to the last digit.

# %%
import torch

from convexp.layers import (
    Conv1d,
    Conv2d,
    Dense1d,
    Dense2d,
    LocallyConnected2d,
    as_dense,
    as_local,
    cost,
    locally_connected,
    nearest_conv,
    nearest_local,
)
from convexp.pictures.palette import hue
from convexp.teaching import drawing, numbers_in_cells, show, step_through

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
n, reach = 6, 1  # an image of n x n pixels; a window reaches one pixel in each direction
x = torch.randint(-9, 10, (1, 1, n, n)).double()  # (batch, channels, rows, columns)

# %% [markdown]
# ## The start: every unit sees every pixel
#
# The most general linear map from one image to another has a weight for each pair of a unit and a pixel:
#
# $$h_{i,j} = u_{i,j} + \sum_{k,l} W_{i,j,k,l}\, x_{k,l}$$
#
# For 6 times 6 pixels these are $36 \cdot 36 = 1296$ weights.

# %%
dense = Dense2d(
    1, 1, kernel_size=2 * reach + 1, input_size=n, padding="same"
)  # the kernel size only sets how many units it has
with torch.no_grad():
    for parameter in dense.parameters():
        parameter.copy_(torch.randint(-9, 10, parameter.shape))
W = dense.weight.detach().view(n, n, n, n)  # W[i, j, k, l]
u = dense.bias.detach().view(1, n, n)
assert cost(dense).weights == W.numel() == 1296

# %% [markdown]
# ## Step 1: count pixels from the unit that looks at them
#
# Write $k = i + a$ and $l = j + b$. The offsets $a$ and $b$ can be negative, zero or positive, and together they reach every
# pixel. The weights get new names, and nothing else changes:
#
# $$V_{i,j,a,b} = W_{i,j,i+a,j+b}$$
#
# $$h_{i,j} = u_{i,j} + \sum_{a,b} V_{i,j,a,b}\, x_{i+a,j+b}$$
#
# Offsets run from $-5$ to $5$. Where $i+a$ or $j+b$ lies outside the image there is no pixel, and $V$ is zero.

# %%
V = torch.zeros(n, n, 2 * n - 1, 2 * n - 1)  # V[i, j, a + n - 1, b + n - 1]
for i in range(n):
    for j in range(n):
        V[i, j, n - 1 - i : 2 * n - 1 - i, n - 1 - j : 2 * n - 1 - j] = W[i, j]

h = locally_connected(x, V[:, :, None, None], u, padding=n - 1)  # every unit has a kernel of its own, as large as it can be
assert torch.equal(h, dense(x))
assert torch.count_nonzero(V) == torch.count_nonzero(W)

# %% [markdown]
# ## Step 2: locality
#
# What a unit is to detect, such as an edge, is near it. So a unit sees only a window: where $|a| > \Delta$ or $|b| > \Delta$,
#
# $$V_{i,j,a,b} = 0$$
#
# This is a *locally connected* layer. With $\Delta = 1$ each unit keeps $(2\Delta + 1)^2 = 9$ weights of its own. It computes
# what a dense layer computes whose other weights are zero, to the last digit.

# %%
local = nearest_local(dense)  # keeps the weights inside of the windows
middle = slice(n - 1 - reach, n + reach)
assert torch.equal(local.kernel.detach()[:, :, 0, 0], V[:, :, middle, middle])
assert torch.equal(as_dense(local)(x), local(x))
assert not torch.equal(local(x), dense(x))  # a restriction: the output is another one
assert cost(local).weights == 36 * 9 == 324

# %% [markdown]
# ## Step 3: weight sharing
#
# What is worth detecting in one place is worth detecting in another. So $V$ and $u$ do not depend on $i$ and $j$:
#
# $$h_{i,j} = u + \sum_{a,b=-\Delta}^{\Delta} V_{a,b}\, x_{i+a,j+b}$$
#
# This is a *convolution*, with nine weights however large the image is. As the shared kernel we take, tap by tap, the mean
# over the units whose tap meets a pixel (36 in the middle of the kernel, 25 in a corner), rounded to whole numbers. The
# convolution computes what the locally connected layer computes that has this kernel everywhere, and what a dense layer
# computes whose weights are zero and equal in the right places.

# %%
conv = nearest_conv(local)  # of all convolutions the one whose matrix is nearest: its kernel is a mean
counts = torch.tensor([5.0, 6, 5])  # rows, and columns, in which each tap meets a pixel
with torch.no_grad():
    assert torch.allclose(conv.weight[0, 0] * torch.outer(counts, counts), local.kernel.sum((0, 1))[0, 0])
    conv.weight.round_()
    conv.bias.round_()
assert torch.equal(as_local(conv)(x), conv(x))
assert torch.equal(as_dense(conv)(x), conv(x))
assert cost(conv).weights == (2 * reach + 1) ** 2 == 9

# %% [markdown]
# ## The matrix of each layer
#
# A linear layer is a matrix with a row for each unit and a column for each pixel. First a signal of seven pixels, so that the
# numbers can be read.

# %%
with torch.no_grad():
    line = Dense1d(1, 1, kernel_size=3, input_size=7, padding="same", bias=False)
    line.weight.copy_(torch.randint(1, 10, (7, 7)))
    shared = Conv1d(1, 1, kernel_size=3, input_size=7, padding="same", bias=False)
    shared.weight.copy_(torch.tensor([[[2, 5, 3]]]))
matrices = {"full": line.weight, "banded": as_dense(nearest_local(line)).weight, "Toeplitz": as_dense(shared).weight}
count = {name: int(torch.count_nonzero(matrix)) for name, matrix in matrices.items()}
assert count == {"full": 49, "banded": 19, "Toeplitz": 19}
toeplitz = matrices["Toeplitz"]
assert torch.equal(toeplitz[1:, 1:], toeplitz[:-1, :-1])  # each row is the row above, moved by one
assert not torch.equal(matrices["banded"][1:, 1:], matrices["banded"][:-1, :-1])

figures = []
for name, layer in zip(matrices, ("dense", "local", "convolution"), strict=True):
    figure, axes = drawing(width=4.8, height=4)
    connected = matrices[name].detach().where(matrices[name] != 0, torch.nan)  # the cells of cut connections stay empty
    numbers_in_cells(axes, connected, title=f"{layer}: {name}", colours="cividis", limits=(0, 9))
    figures.append(figure)
step_through(
    figures,
    ["dense", "local", "convolution"],
    alt="Three matrices of 7 by 7 cells: one full of numbers, one with numbers on three diagonals only, and one with 2, 5 and "
    "3 on the three diagonals.",
    caption="Rows are units, columns are pixels, and empty cells are zero. Locality leaves a band of three diagonals, and "
    "sharing makes each diagonal one number. In the first and last row the window reaches beyond the signal and has only two "
    "weights.",
)

# %% [markdown]
# In two dimensions each row of the image is a block of the matrix. The band consists of three diagonals of blocks, and each of
# these blocks is a band itself.

# %%
figure, axes = drawing(1, 3, width=4.8, height=2.2)
for ax, layer, name in zip(axes, (dense, local, conv), ("dense", "local", "convolution"), strict=True):
    matrix = as_dense(layer).weight.detach()
    largest = matrix.abs().max()
    ax.imshow(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="none")
    ax.set_title(f"{name}\n{cost(layer).weights} weights", fontsize=10)
    ax.set(xlabel="pixel", xticks=[0, 18, 35], yticks=[0, 18, 35])
    ax.grid(False)
axes[0].set_ylabel("unit")
show(
    figure,
    alt="Three matrices of 36 by 36 coloured cells: a full one, one with cells in three diagonals of blocks, and the same with "
    "few colours that repeat along the diagonals.",
    caption="The matrices of the three layers above, for an image of 6 by 6 pixels. White is zero, blue is negative and red "
    "positive, each up to the largest weight of its layer. Of 1296 weights locality leaves 324, and sharing 9.",
)

# %% [markdown]
# ## The same walk the other way: cut and tie
#
# The walk can be done on the dense matrix alone, without new names for the weights. Cut every connection that is longer than
# $\Delta$: what is left is the locally connected layer. Then tie the rest: all connections with the same offset get one common
# weight, here again the rounded mean. What is left is the convolution.

# %%
rows, columns = torch.arange(n).repeat_interleave(n), torch.arange(n).repeat(n)  # place of each unit, and of each pixel
a, b = rows[None] - rows[:, None], columns[None] - columns[:, None]  # offset of each pair, (units, pixels)
near = (a.abs() <= reach) & (b.abs() <= reach)
tied = as_dense(conv)
with torch.no_grad():
    cut = as_dense(local)
    cut.weight.copy_(dense.weight * near)
    tied.weight.copy_(torch.where(near, conv.weight[0, 0, (a + reach).clamp(0, 2), (b + reach).clamp(0, 2)], 0))
assert torch.equal(cut(x), local(x))
assert torch.equal(tied(x), conv(x))
assert near.sum() == 16**2  # 68 of the 324 weights of the local layer meet only the zeros outside of the image

# %% [markdown]
# Tied weights also learn together. The gradient of a shared weight is the sum of the gradients of all its copies.

# %%
copies = as_local(conv)
for layer in (conv, copies):
    (layer(x) ** 2).sum().backward()
by_location = copies.in_literature_order(copies.weight.grad)  # (rows, columns, 1, 1, 3, 3)
assert torch.equal(by_location.sum((0, 1)), conv.weight.grad)

# %% [markdown]
# ## How many weights
#
# For $N$ pixels and as many units, all-to-all takes $N^2$ weights, locality leaves $(2\Delta + 1)^2 N$, and sharing
# $(2\Delta + 1)^2$. For one megapixel and $\Delta = 1$ these are $10^{12}$, $9 \cdot 10^6$ and 9. A dense layer with 1000
# hidden units instead of a million has $10^9$. The layers are made without memory for their weights, as nobody has four
# terabytes for the first.

# %%
sides = (10, 32, 100, 316, 1000)
geometry = {"kernel_size": 2 * reach + 1, "padding": "same", "bias": False, "device": "meta", "dtype": torch.float32}
weights = {
    "dense": [cost(Dense2d(1, 1, input_size=side, **geometry)).weights for side in sides],
    "1000 hidden units": [cost(Dense2d(1, 1000, side, side, bias=False, device="meta")).weights for side in sides],
    "local": [cost(LocallyConnected2d(1, 1, input_size=side, **geometry)).weights for side in sides],
    "conv": [cost(Conv2d(1, 1, input_size=side, **geometry)).weights for side in sides],
}
assert {name: counted[-1] for name, counted in weights.items()} == {
    "dense": 10**12,
    "1000 hidden units": 10**9,
    "local": 9 * 10**6,
    "conv": 9,
}
assert cost(Dense2d(1, 1, input_size=1000, **geometry)).parameter_bytes == 4 * 10**12
for delta in (1, 2, 10):
    layer = Conv2d(1, 1, 2 * delta + 1, 1000, padding="same", device="meta")
    assert cost(layer).weights == (2 * delta + 1) ** 2

figure, axes = drawing(width=4.8, height=3.2)
for name, counted in weights.items():
    style = hue(name)
    axes.plot([side**2 for side in sides], counted, color=style.light, marker=style.marker)
    axes.annotate(name, (10**6, counted[-1]), (6, 0), textcoords="offset points", va="center", color=style.light)
axes.set(xscale="log", yscale="log", xlim=(80, 5e8), ylim=(1, 1e13), xlabel="pixels", ylabel="weights")
axes.set_xticks([10**2, 10**4, 10**6], ["100", "10 000", "1 million"])
axes.set_yticks([1, 10**3, 10**6, 10**9, 10**12], ["1", "1000", "1 million", "10⁹", "10¹²"])
axes.minorticks_off()
show(
    figure,
    alt="Weights against pixels on logarithmic axes. At a million pixels: dense 10 to the 12, 1000 hidden units 10 to the 9, "
    "local 9 million, conv 9 at every size.",
    caption="Weights of one layer with one channel and windows of 3 by 3. Only the convolution does not grow with the image.",
)

# %% [markdown]
# ## What to try
#
# 1. How many weights does each of the three layers have for colour images of 6 by 6 pixels and four output channels?
#
# <details><summary>Answer</summary>
# Every count is multiplied by the pairs of input and output channels, 3 times 4: 15552, 3888 and 108.
# </details>
#
# 2. Let the window reach five pixels, so that every unit of the 6 by 6 image sees all of it. What do the three layers become?
#
# <details><summary>Answer</summary>
# The locally connected layer is then the dense layer. The convolution stays a restriction, as it shares its 11 times 11
# weights: it is one of the four corners of lesson 2.
# </details>
#
# 3. Sharing saves weights. Does it save multiplications? Compare `cost(local).forward_flops` and `cost(conv).forward_flops`.
#
# <details><summary>Answer</summary>
# No, both take one multiplication for each unit and tap. Locality saves multiplications, and sharing does not.
# </details>
#
# *Sources:* Zhang, Lipton, Li, Smola, Dive into Deep Learning, section "From Fully Connected Layers to Convolutions";
# Goodfellow, Bengio, Courville, Deep Learning, section 9.2; d'Ascoli et al. 2019, arXiv 1906.06766, who train a convolution,
# turn it into the dense layer that it is, and go on training.

# %%
colour = [cost(kind(3, 4, 3, 6, padding="same")).weights for kind in (Dense2d, LocallyConnected2d, Conv2d)]
assert colour == [15552, 3888, 108]
assert cost(local).forward_flops == cost(conv).forward_flops

wide = Dense2d(1, 1, kernel_size=11, input_size=n, padding="same")
assert torch.equal(as_dense(nearest_local(wide)).weight, wide.weight)
assert not torch.allclose(as_dense(nearest_conv(wide)).weight, wide.weight)
