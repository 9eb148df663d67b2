# %% [markdown]
# # 6. Kernels for image processing
#
# At the end you will know what the classical kernels do to a photograph and why, you will have worked through one of them by
# hand, and you will have seen a layer learn such kernels from examples and from digits.
#
# Long before networks learned their kernels, people wrote them down. Here are six of them, all applied as cross-correlations
#
# $$y_{i,j} = \sum_{a,b} v_{a,b}\, x_{i+a,j+b}$$
#
# to the grey values of a photograph that comes with scikit-learn.

# %%
import numpy as np
import torch
from sklearn.datasets import load_sample_image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, mse_loss, normalize, pad

from convexp.data.digits import digits
from convexp.layers import Conv2d, convolve, correlate, flip, im2col
from convexp.teaching import drawing, numbers_in_cells, show

KERNELS = {
    "blur": torch.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
    "sharpen": torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "emboss": torch.tensor([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]]),
    "Sobel, to the right": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "Sobel, down": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "Laplacian": torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
}


def layer_of(kernels: list[Tensor], size: tuple[int, ...]) -> Conv2d:
    """A convolution with these 3x3 kernels, whose border repeats the outermost pixels."""
    layer = Conv2d(1, len(kernels), 3, size, padding="same", bias=False, padding_mode="replicate")
    layer.weight.data.copy_(torch.stack(kernels)[:, None])
    return layer.requires_grad_(requires_grad=False)


def photograph(name: str) -> Tensor:
    """Grey values from 0 to 255, at half the size: (213, 320)."""
    pixels = torch.tensor(load_sample_image(name)).float()
    return avg_pool2d((pixels @ torch.tensor([0.299, 0.587, 0.114]))[None], 2)[0]


torch.set_num_threads(1)  # for small layers, more threads mostly wait for each other
photo = photograph("china.jpg")
filtered = dict(zip(KERNELS, layer_of(list(KERNELS.values()), photo.shape)(photo[None]), strict=True))

# %% [markdown]
# What a kernel does can be read from three images for which the result is known: a plane of one grey value, a ramp that rises
# by one per pixel, and a parabola $x^2$. The sum of the weights says what becomes of a plane: with sum 1 it keeps its grey
# value, with sum 0 it vanishes. The Sobel kernels measure a slope (eight times the slope, to be exact), the Laplacian the
# curvature $\partial^2 x/\partial i^2 + \partial^2 x/\partial j^2$, and sharpening subtracts it.

# %%
column = torch.arange(7.0).expand(7, 7)  # the number of the column
flat, ramp, parabola = torch.full((7, 7), 100.0), column, column**2


def inside(name: str, image: Tensor) -> Tensor:
    """The response at the pixels whose windows lie within the image: (5, 5)."""
    return correlate(image, KERNELS[name])


for name, total in {"blur": 1, "sharpen": 1, "emboss": 1, "Sobel, to the right": 0, "Sobel, down": 0, "Laplacian": 0}.items():
    assert KERNELS[name].sum() == total
    assert torch.equal(inside(name, flat), torch.full((5, 5), 100.0 * total))
assert torch.equal(inside("Sobel, to the right", ramp), torch.full((5, 5), 8.0))
assert not inside("Sobel, down", ramp).any()
assert torch.equal(inside("Sobel, down", ramp.T), torch.full((5, 5), 8.0))
assert not inside("Laplacian", ramp).any()
assert torch.equal(inside("Laplacian", parabola), torch.full((5, 5), 2.0))  # the second derivative
assert torch.equal(inside("blur", ramp), ramp[1:-1, 1:-1])
assert torch.equal(inside("emboss", ramp), ramp[1:-1, 1:-1] + 6)  # brighter where it rises to the right
identity = torch.zeros(3, 3)
identity[1, 1] = 1
assert torch.equal(KERNELS["sharpen"], identity - KERNELS["Laplacian"])
# Blurred along the edge, and the slope across it.
smooth, slope = torch.tensor([1.0, 2, 1]), torch.tensor([-1.0, 0, 1])
assert torch.equal(KERNELS["Sobel, to the right"], torch.outer(smooth, slope))
assert torch.equal(KERNELS["Sobel, down"], torch.outer(slope, smooth))

edges = (filtered["Sobel, to the right"] ** 2 + filtered["Sobel, down"] ** 2).sqrt()  # the length of the gradient

# %%
figure, axes = drawing(4, 2, width=4.8, height=8.4)
shown = {"photograph": photo, **filtered, "both Sobel kernels: length": edges}
for place, (name, image) in zip(axes.flat, shown.items(), strict=True):
    part = image[10:140, 10:180]
    signed = name in ("Sobel, to the right", "Sobel, down", "Laplacian")
    limits = {"vmin": -400, "vmax": 400} if signed else {"vmin": 0, "vmax": 600 if name.startswith("both") else 255}
    place.imshow(part, cmap="RdBu_r" if signed else "gray", interpolation="none", **limits)
    place.set_title(name)
    place.set_axis_off()
show(
    figure,
    alt="A pagoda in grey values, blurred, sharpened, embossed, its slopes to the right and down and its curvature in "
    "red and blue, and the length of its gradient, which is bright along all edges.",
    caption="A part of the photograph under the six kernels. Red is above 0 and blue below: at the right edge of the dark roof "
    "the slope is positive, at its left edge negative. The last picture has the length of the two slopes together.",
)

# %% [markdown]
# ## One patch, by hand
#
# A patch of 3x3 pixels, dark on the left and bright on the right, lies under the Sobel kernel for slopes to the right. Each
# pixel is multiplied by the weight above it, and the nine products are added.

# %%
patch = torch.tensor([[10.0, 10, 80], [10, 50, 100], [10, 60, 120]])
sobel = KERNELS["Sobel, to the right"]
products = patch * sobel
assert products.tolist() == [[-10, 0, 80], [-20, 0, 200], [-10, 0, 120]]
response = correlate(patch, sobel)
assert response.tolist() == [[products.sum()]] == [[360]]

same = correlate(pad(patch, (1, 1, 1, 1)), sobel)  # with a border of zeros, the kernel can stand on every pixel
assert same.tolist() == [[70, 230, -70], [170, 360, -170], [170, 310, -170]]
assert (same.max(), same.mean()) == (360, 100)  # what max pooling and mean pooling make of this map
assert (patch.max(), patch.mean()) == (120, 50)  # and of the patch itself

# %%
figure, axes = drawing(2, 2, width=4.8, height=4.9)
numbers_in_cells(axes[0, 0], patch, title="patch: maximum 120, mean 50", colours="gray", limits=(0, 255))
numbers_in_cells(axes[0, 1], sobel, title="Sobel kernel", colours="RdBu_r")
numbers_in_cells(axes[1, 0], products, title="products: sum 360", colours="RdBu_r")
numbers_in_cells(axes[1, 1], same, title="map: maximum 360, mean 100", colours="RdBu_r", marked=[(1, 1)])
for place in axes.flat:
    place.title.set_fontsize(10)
show(
    figure,
    alt="Four tables of 3x3 numbers: the patch, the kernel, their products with the sum 360, and the map of all nine "
    "responses with a border of zeros, 360 in the middle.",
    caption="The response to the patch is the sum of nine products. If a border of zeros is put around the patch, there are "
    "nine responses; the one in the middle is the same.",
)

# %% [markdown]
# Small as it is, the example meets the slips that are common in worked examples of lecture notes:
#
# - **The sign.** $360$ is the cross-correlation. The true convolution turns the kernel by 180 degrees, and with this kernel
#   that changes the sign: $-360$. Whoever writes "convolution" and gets $+360$ has computed the other one.
# - **Max pooling sees the sign.** The maximum of the map is 360 under cross-correlation and 170 under convolution, as the
#   maximum of $-y$ is not minus the maximum of $y$; of the mean only the sign changes.
# - **The size.** A 3x3 kernel fits into a 3x3 patch once. The valid output is one number, $n - k + 1 = 1$, not a map of 3x3;
#   that takes a border, and with zeros the border is an edge itself: the right column of the map is negative, where the bright
#   pixels end.
# - **The mean.** Mean pooling divides by the number of entries in the window, zeros included: the mean of the nine products is
#   $360/9 = 40$, not $360/6 = 60$.
# - **The sum of the weights.** The blur has to be divided by 16, the sum of its weights; otherwise the image becomes 16 times
#   as bright.
# - **Clipping.** Responses are not grey values: under a Sobel kernel they lie between $-1020$ and $1020$. A byte holds 0 to
#   255, and of whole numbers what does not fit comes round: 360 becomes 104, and $-360$ becomes 152 (of floats the result is
#   not even defined). Scale or clip before you convert.

# %%
turned = flip(sobel, 2)
assert torch.equal(turned, -sobel)
assert correlate(patch, turned).tolist() == [[-360]]
convolved = convolve(patch, sobel)  # in full
assert convolved.shape == (5, 5)
assert convolved[2, 2] == -360  # where the kernel fits
assert torch.equal(convolved[1:4, 1:4], -same)
assert (convolved[1:4, 1:4].max(), convolved[1:4, 1:4].mean()) == (170, -100)

assert Conv2d(1, 1, 3, input_size=3).output_size == (1, 1)
assert Conv2d(1, 1, 3, input_size=3, padding="same").output_size == (3, 3)
assert (same[:, 2] < 0).all()
assert (products.mean(), products.sum() / products.count_nonzero()) == (40, 60)
assert correlate(flat, 16 * KERNELS["blur"]).unique().tolist() == [1600]
assert (255 * sobel.clamp(min=0)).sum() == 1020
assert np.array([360, -360]).astype(np.uint8).tolist() == [104, 152]
assert np.array([360, -360]).clip(0, 255).astype(np.uint8).tolist() == [255, 0]
outside = float(((filtered["sharpen"] < 0) | (filtered["sharpen"] > 255)).float().mean())
print(f"{outside:.0%} of the pixels of the sharpened photograph lie outside 0 to 255")
assert outside > 0.01

# %% [markdown]
# ## Kernels from examples
#
# Nobody has to write a kernel down if there are examples of what it does. A layer with four random kernels sees the photograph
# and what four of the classical kernels make of it, and minimises the squared error. The loss is quadratic in the weights and
# has one minimum, which is found from every start. Shown the results of a *true* convolution, the layer, which computes a
# cross-correlation, learns the turned kernel: this is why learning does not care about the flip.

# %%
CLASSICAL = [KERNELS[name] / KERNELS[name].norm() for name in ("blur", "Sobel, to the right", "Sobel, down", "Laplacian")]


def learn_from(image: Tensor, results: Tensor, seed: int) -> Conv2d:
    """Minimise the mean squared error between the layer's maps and ``results`` (K, H-2, W-2), from random kernels."""
    torch.manual_seed(seed)
    layer = Conv2d(1, len(results), 3, input_size=image.shape, dtype=torch.float64)
    search = torch.optim.LBFGS(layer.parameters(), max_iter=200, tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        error = mse_loss(layer(image[None]), results)
        error.backward()
        return error

    search.step(loss)
    return layer.requires_grad_(requires_grad=False)


x = photo.double() / 255
wanted = torch.stack([correlate(x, kernel.double()) for kernel in CLASSICAL])
for seed in range(3):
    copied = learn_from(x, wanted, seed)
    assert torch.allclose(copied.weight[:, 0], torch.stack(CLASSICAL).double(), atol=5e-3)
other = photograph("flower.jpg").double() / 255  # a photograph that the layer has not seen
again = Conv2d(1, 4, 3, input_size=other.shape, dtype=torch.float64)
again.load_state_dict(copied.state_dict())
assert torch.allclose(again(other[None])[1], correlate(other, CLASSICAL[1].double()), atol=5e-3)

truly = convolve(x, KERNELS["emboss"].double())[2:-2, 2:-2]
assert torch.allclose(learn_from(x, truly[None], seed=0).weight[0, 0], flip(KERNELS["emboss"], 2).double(), atol=1e-2)

# %% [markdown]
# ## Kernels from data alone, and from a task
#
# Even without examples of a result, the photograph itself suggests such kernels. The principal components of its 3x3 patches,
# the directions in which the patches vary most, are a blur, a slope down and a slope to the right. And a network that learns to
# read digits is only told which digit it sees. Of the energy of its 3x3 kernels, $\|P v\|^2 / \|v\|^2$ with $P$ the projection
# onto the span of the four classical kernels above, random kernels have $4/9$ there, as four of nine dimensions; and the
# learned ones?

# %%
patches = im2col(x[None, None], (3, 3), (1, 1), (1, 1))[0]  # (9, number of patches)
components = torch.linalg.eigh(torch.cov(patches)).eigenvectors.T.flip(0).float()  # (9, 9), the largest variance first
classical = torch.stack(CLASSICAL).flatten(1)  # (4, 9)
likeness = (components[:3] @ classical.T).abs()  # cosines
pairs = {"blur": (0, 0), "slope down": (1, 2), "slope to the right": (2, 1)}
print("cosine of a component with", ", ".join(f"{name}: {likeness[pair]:.2f}" for name, pair in pairs.items()))
assert min(likeness[pair] for pair in pairs.values()) > 0.85

source = digits(test_size=360, split_seed=0)
train, test = source.train_images / 255, source.test_images / 255
basis = torch.linalg.qr(classical.T).Q  # (9, 4)


def share(kernels: Tensor) -> float:
    """The share of the kernels' energy in the span of the classical ones, the mean over the kernels."""
    return float((normalize(kernels.flatten(1)) @ basis).square().sum(1).mean())


shares, right = [], []
for seed in range(5):
    torch.manual_seed(seed)
    net = nn.Sequential(Conv2d(1, 16, 3, input_size=8), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * 9, 10))
    at_start = share(net[0].weight.detach())
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(150):
        adam.zero_grad()
        cross_entropy(net(train), source.train_labels).backward()
        adam.step()
    shares.append((at_start, share(net[0].weight.detach())))
    right.append(float((net(test).argmax(1) == source.test_labels).float().mean()))
start, learned = zip(*shares, strict=True)
print(f"{min(right):.1%} to {max(right):.1%} of the test digits right (5 seeds)")
print(f"share at the start {min(start):.0%} to {max(start):.0%}, learned {min(learned):.0%} to {max(learned):.0%} (5 seeds)")
assert min(right) > 0.93
assert 0.35 < np.mean(start) < 0.55 < 0.6 < np.mean(learned) < 0.8
assert all(after > before for before, after in shares)

# %%
signs = (components[:4] * classical[[0, 2, 1, 3]]).sum(1).sign()  # a component may point either way
rows = {
    "by hand": torch.stack(CLASSICAL),
    "from\nexamples": copied.weight[:, 0],
    "from\npatches": (components[:4] * signs[:, None]).reshape(4, 3, 3)[[0, 2, 1, 3]],
    "from\ndigits": normalize(net[0].weight.detach().flatten(1)).reshape(16, 3, 3)[:4],
    "more\nfrom digits": normalize(net[0].weight.detach().flatten(1)).reshape(16, 3, 3)[4:8],
}
figure, axes = drawing(len(rows), 4, width=4.8, height=6)
for row, (name, kernels) in zip(axes, rows.items(), strict=True):
    for place, kernel in zip(row, kernels, strict=True):
        place.grid(visible=False)
        place.pcolormesh(kernel, cmap="RdBu_r", vmin=-0.8, vmax=0.8, edgecolors="face", linewidth=0.3)
        place.set(xticks=[], yticks=[], ylim=(3, 0), aspect="equal")
        place.spines[:].set_visible(False)
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
show(
    figure,
    alt="Rows of four 3x3 kernels: blur, two Sobel kernels and a Laplacian by hand; the same four, learned from "
    "examples; four similar ones from patches of the photograph; and eight from a network of digits, "
    "many of which have a bright and a dark side.",
    caption="Kernels of length 1, red above 0 and blue below: written by hand, learned from examples of their results, the "
    "first four principal components of the photograph's patches, and the first eight kernels of a network for digits.",
)

# %% [markdown]
# The network has not been shown any of the classical kernels, and yet about seven tenths of the energy of its kernels lie in
# their span. It was not asked for exactly these four, and the picture shows that it finds others.
#
# ## Questions
#
# 1. Blur an image twice. Which single kernel does the same, and what is the sum of its weights?
#
#    <details><summary>Answer</summary>The full convolution of the kernel with itself, of 5x5 weights: the outer product of 1,
#    4, 6, 4, 1 with itself, divided by 256. The sum is 1. The cell below checks it.</details>
#
# 2. A kernel of 3x3 and a bias are to be found from examples. How many pixels of a result does it take? Try it with
#    `torch.linalg.lstsq` on some columns of `patches`.
#
#    <details><summary>Answer</summary>Ten, one for each unknown, if their windows, each with a 1 for the bias, are linearly
#    independent. The cell below finds a kernel and a bias from ten pixels.</details>
#
# 3. Turn the patch counterclockwise by 90 degrees. What do the two Sobel kernels say now?
#
#    <details><summary>Answer</summary>The bright side is on top: the slope down is -360. The slope to the right is what the
#    slope down was before, 140.</details>

# %%
five = torch.tensor([1.0, 4, 6, 4, 1])
twice = convolve(KERNELS["blur"], KERNELS["blur"])
assert torch.allclose(twice, torch.outer(five, five) / 256)
assert torch.allclose(correlate(correlate(photo, KERNELS["blur"]), KERNELS["blur"]), correlate(photo, twice), atol=1e-3)

ten = torch.randperm(patches.shape[1], generator=torch.Generator().manual_seed(0))[:10]
equations = torch.cat((patches[:, ten], torch.ones(1, 10))).T  # ten windows, each with a 1 for the bias
assert torch.linalg.matrix_rank(equations) == 10
unknown = torch.cat((KERNELS["emboss"].flatten(), torch.tensor([0.5]))).to(equations)
assert torch.allclose(torch.linalg.lstsq(equations, equations @ unknown).solution, unknown, atol=1e-6)

turned_patch = patch.rot90()  # counterclockwise
assert correlate(turned_patch, KERNELS["Sobel, down"]).tolist() == [[-360]]
assert correlate(turned_patch, sobel).tolist() == correlate(patch, KERNELS["Sobel, down"]).tolist() == [[140]]

# %% [markdown]
# ## Sources
#
# Gonzalez and Woods, *Digital Image Processing*, chapter on spatial filtering. Zhang, Lipton, Li, Smola, *Dive into Deep
# Learning*, section "Convolutions for Images" (learning a kernel). Goodfellow, Bengio, Courville, *Deep Learning*, sections 9.1
# and 9.3. Dumoulin and Visin 2016, arXiv 1603.07285 (output sizes). Hancock, Baddeley, Smith 1992, *The principal components of
# natural images*, Network 3.
