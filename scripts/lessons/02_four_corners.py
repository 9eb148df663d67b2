# %% [markdown]
# # 2. Two principles, four corners
#
# At the end of this lesson you know which of the two principles, locality and weight sharing, saves which weights, and which of
# them makes a layer equivariant to shifts.
#
# Lesson 1 took both steps, one after the other. But they do not need each other. Each can be taken alone, which gives four
# layers:
#
# - `dense`: every unit sees every pixel, with weights of its own.
# - `local`, locality without sharing: every unit sees a window, with weights of its own.
# - `global_conv`, sharing without locality: every unit sees every pixel, and all units have the same weights, counted from the
#   unit. It is a convolution with a kernel as large as the image.
# - `conv`: both.

# %%
import torch
from torch.nn import functional as F

from convexp.data.digits import digits
from convexp.geometry.explanation import explain
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.geometry.wiring import Wiring
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, as_dense, cost
from convexp.models import Network
from convexp.pictures.palette import hue
from convexp.probes import measure
from convexp.teaching import drawing, show

torch.set_num_threads(1)  # so that the number of cores does not change the sums
CORNERS = {"dense": Dense2d, "local": LocallyConnected2d, "global_conv": GlobalConv2d, "conv": Conv2d}

# %% [markdown]
# In a formula, with the offset of pixel $(k, l)$ from unit $(i, j)$:
#
# $$h_{i,j} = \sum_{k,l} W_{i,j,k,l}\, x_{k,l}$$
#
# Locality: $W_{i,j,k,l} = 0$ where $|k-i| > \Delta$ or $|l-j| > \Delta$. Sharing: $W_{i,j,k,l} = V_{k-i,\,l-j}$. We count
# offsets on a circle, so that no unit is at a border.

# %%
torch.manual_seed(0)
figure, axes = drawing(2, 2, width=4.8, height=5.2)
for ax, (name, kind) in zip(axes.flat, CORNERS.items(), strict=True):
    layer = kind(1, 1, kernel_size=3, input_size=6, padding="same", padding_mode="circular", bias=False)
    matrix = as_dense(layer).weight.detach()
    local, shared = (torch.count_nonzero(matrix, 1) == 9).all(), matrix.unique().numel() <= 37  # 36 offsets, and zero
    assert (bool(local), bool(shared)) == (name in ("local", "conv"), name in ("global_conv", "conv"))
    largest = matrix.abs().max()
    ax.imshow(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="none")
    ax.set_title(f"{name}: {cost(layer).weights} weights", color=hue(name).light, fontsize=10)
    ax.set(xlabel="pixel", ylabel="unit", xticks=[0, 18, 35], yticks=[0, 18, 35])
    ax.grid(False)
show(
    figure,
    alt="Four matrices of 36 by 36 cells. Dense: 1296 weights, no pattern. Local: 324 weights in bands. Global_conv: 36 "
    "weights that repeat along diagonals everywhere. Conv: 9 weights that repeat along diagonals in bands.",
    caption="The matrices of the four layers for an image of 6 by 6 pixels with a circular border. To the right a layer "
    "becomes local, with zeros outside of the bands; downwards it is shared, with one value along each diagonal of a block.",
)

# %% [markdown]
# ## Which buys parameters?
#
# Both do, and their savings multiply. For $P$ pixels, $L$ units and windows of $T$ taps, locality divides the number of weights
# by $P / T$, with sharing or without it. Sharing divides it by $L$, with locality or without it. Multiplications are another
# matter: locality saves them, and sharing does not.

# %%
geometry = {"kernel_size": 3, "padding": "same", "padding_mode": "circular", "device": "meta"}  # meta: without memory
for side in (6, 28, 1000):
    costs = {name: cost(kind(1, 1, input_size=side, **geometry)) for name, kind in CORNERS.items()}
    weights = {name: each.weights for name, each in costs.items()}
    pixels = units = side**2
    assert weights["dense"] * 9 == weights["local"] * pixels  # locality divides by P / T
    assert weights["global_conv"] * 9 == weights["conv"] * pixels
    assert weights["dense"] == weights["global_conv"] * units  # sharing divides by L
    assert weights["local"] == weights["conv"] * units
    assert costs["local"].forward_flops == costs["conv"].forward_flops == 2 * 9 * units
    assert costs["dense"].forward_flops == 2 * pixels * units
    print(f"{side} x {side} pixels")
    for name, count in weights.items():
        print(f"   {name:12} {count:17,} weights")
assert list(weights.values()) == [10**12, 9 * 10**6, 10**6, 9]

# %% [markdown]
# ## Which buys equivariance?
#
# Let $T_\delta$ shift an image by $\delta$ pixels. A layer $f$ is *equivariant* if its output moves along with the image:
# $f(T_\delta x) = T_\delta f(x)$. How far it is from that we measure by the relative error
#
# $$\frac{\mathrm{E}\, \| f(T_\delta x) - T_\delta f(x) \|}{\mathrm{E}\, \| f(x) \|}$$
#
# It is 0 for an equivariant layer. The probe `equivariance` measures it, and as a control the same error with an image of
# another class in the place of $T_\delta x$.
#
# First what follows from geometry alone, for all weights. `step` is the number of pixels of which a shift has to be a multiple:
# 1 means every shift, and 0 means none.

# %%
stage = Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "circular", "none", (1, 1))  # 4 channels, kernels 3 x 3, circular border
rest = ("flatten", (), "relu", "none", True)  # readout, hidden layers, activation, normalisation, biases
skeleton = Skeleton((1, 16, 16), 10, (stage,), *rest)
steps = {name: explain(skeleton, Wiring(name)).layers[0].circular[0].step for name in CORNERS}
assert steps == {"dense": 0, "local": 0, "global_conv": 1, "conv": 1}

# %% [markdown]
# Then measured. Each layer is the first of a small network for scikit-learn's handwritten digits, which lie in the middle of 16
# by 16 pixels. The error of the layer and its ReLU is the mean over all circular shifts of up to two pixels, before training
# and after three epochs of it, for three seeds.

# %%
data = digits(test_size=360, split_seed=0)
train, test = (F.pad(images, [4] * 4) for images in (data.train_images, data.test_images))
mean, std = (float(value) / 255 for value in (train.float().mean(), train.float().std()))
settings = {"equivariance": {"max_shift": 2, "max_images": 50, "protocol": "circular"}}


def equivariance_error(network: Network) -> dict[str, float]:
    numbers = measure(network, test, data.test_labels, settings).numbers
    return {name: numbers[f"equivariance/stages.0/{name}"] for name in ("full", "full_control")}


def fit(network: Network, epochs: int = 3, batch: int = 50) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(train)).split(batch):
            optimizer.zero_grad()
            F.cross_entropy(network(train[rows]), data.train_labels[rows]).backward()
            optimizer.step()


before, after, control, accuracy = ({name: [] for name in CORNERS} for _ in range(4))
for name, kind in CORNERS.items():
    for seed in range(3):
        torch.manual_seed(seed)
        network = Network(skeleton, kind, [mean], [std])
        before[name].append(equivariance_error(network)["full"])
        fit(network)
        found = equivariance_error(network)
        after[name].append(found["full"])
        control[name].append(found["full_control"])
        with torch.no_grad():
            accuracy[name].append(float((network(test).argmax(1) == data.test_labels).float().mean()))

print("smallest to largest of n = 3 seeds")
for name in CORNERS:
    for title, values in {"before": before, "after": after, "control": control, "accuracy": accuracy}.items():
        print(f"{name:12} {title:9} {min(values[name]):.2f} to {max(values[name]):.2f}")
    shared = name in ("global_conv", "conv")
    assert all(error < 1e-5 if shared else error > 0.8 for error in before[name] + after[name])
    assert shared or min(after[name]) > 0.85 * max(control[name])
    assert min(control[name]) > 0.5
    assert min(accuracy[name]) > 0.9

# %% [markdown]
# Sharing alone makes a layer equivariant, and locality alone does not. This training did not teach it to the layers without
# sharing: their output for a shifted digit is about as far from the shifted output as the output for another digit is. All four
# networks recognise more than nine in ten test digits, which lie in the middle as the training digits do. So this accuracy
# does not tell whether a layer is equivariant.

# %%
counted = {name: cost(kind(1, 4, input_size=16, **geometry)).weights for name, kind in CORNERS.items()}
error = {name: sum(after[name]) / 3 for name in CORNERS}
assert counted == {"dense": 262_144, "local": 9216, "global_conv": 1024, "conv": 36}

figure, axes = drawing(width=4.8, height=3.4)
for start, end, text, place in (
    ("dense", "local", "locality", (0, 8)),
    ("global_conv", "conv", "locality", (0, 8)),
    ("dense", "global_conv", "sharing", (26, 0)),
    ("local", "conv", "sharing", (-26, 0)),
):
    ends = (counted[start], error[start]), (counted[end], error[end])
    arrow = {"arrowstyle": "->", "shrinkA": 8, "shrinkB": 8, "color": hue("", 3).light}
    axes.annotate("", ends[1], ends[0], arrowprops=arrow)
    middle = ((counted[start] * counted[end]) ** 0.5, (error[start] + error[end]) / 2)
    axes.annotate(text, middle, place, textcoords="offset points", ha="center", color=hue("", 3).light)
for name in CORNERS:
    axes.plot(counted[name], error[name], color=hue(name).light, marker=hue(name).marker, markersize=9)
    below = error[name] < 0.5
    axes.annotate(name, (counted[name], error[name]), (0, -18 if below else 11), textcoords="offset points", ha="center",
                  color=hue(name).light)  # fmt: skip
axes.set(xscale="log", xlim=(8, 2e6), ylim=(-0.22, 1.4), xlabel="weights", ylabel="equivariance error")
axes.set_xticks([10, 1000, 100_000], ["10", "1000", "100 000"])
axes.minorticks_off()
show(
    figure,
    alt=f"Equivariance error against weights. Dense: 262144 weights, error {error['dense']:.2f}. Local: 9216 weights, error "
    f"{error['local']:.2f}. Global_conv: 1024 weights, error 0. Conv: 36 weights, error 0.",
    caption="Weights and equivariance error of the four layers after training, mean over three seeds. Locality saves weights "
    "and changes the error little. Sharing saves more of them here, and takes the error to 0.",
)

# %% [markdown]
# ## What to try
#
# 1. Give the stage a stride of 2 and ask `explain` again. Under which shifts is `conv` still equivariant?
#
# <details><summary>Answer</summary>
# Under shifts by even numbers of pixels. After a shift by one pixel the layer looks at the pixels that it skipped before.
# </details>
#
# 2. Make the border `zeros` and shift with the protocol `zero_fill`. Where is `conv` still equivariant?
#
# <details><summary>Answer</summary>
# In the interior, where no unit sees the border: there the error is 0. Over all units it is not: a unit at the border sees
# zeros that do not move with the image, and where units entered, the probe expects zeros and the layer gives something else.
# The probe gives both numbers, `interior` and `full`.
# </details>
#
# 3. Is the answer of the network *invariant*, because its first layer is equivariant? Measure it with the probe `consistency`.
#
# <details><summary>Answer</summary>
# No. The readout has a weight for every location, so that an output that moves along can give another answer, and often does.
# Lesson 7 is about the difference.
# </details>
#
# *Sources:* Goodfellow, Bengio, Courville, Deep Learning, sections 9.2 and 9.5 (unshared convolution); Zhang, Lipton, Li,
# Smola, Dive into Deep Learning, section "From Fully Connected Layers to Convolutions"; Lenc and Vedaldi 2015, arXiv
# 1411.5908, for measuring equivariance. `convexp-train study=four_corners` trains the four corners on MNIST.

# %%
strided = Skeleton((1, 16, 16), 10, (Stage(4, (3, 3), (2, 2), (1, 1), (1, 1), "circular", "none", (1, 1)),), *rest)
assert explain(strided, Wiring("conv")).layers[0].circular[0].step == 2
zeros = Skeleton((1, 16, 16), 10, (Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "none", (1, 1)),), *rest)
bordered = {"equivariance": {"max_shift": 2, "max_images": 50, "protocol": "zero_fill"}}
border = measure(Network(zeros, Conv2d, [mean], [std]), test, data.test_labels, bordered).numbers
assert border["equivariance/stages.0/interior"] < 1e-5 < 1e-3 < border["equivariance/stages.0/full"]
shifts = {"consistency": {"max_shift": 2, "pairs": 2, "protocol": "circular"}}
answers = measure(network, test, data.test_labels, shifts).numbers  # of the last network: conv, trained
print(f"conv: same answer for {answers['consistency/all']:.0%} of all pairs of shifts")
assert answers["consistency/all"] < 0.95
