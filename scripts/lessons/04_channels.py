# %% [markdown]
# # 4. Channels and many features
#
# At the end you will know what a kernel does with the colours of an image, how many parameters a layer with many features has,
# why a 1x1 convolution is one small network that is applied at every pixel, and why the kernels of a layer have to start from
# different values.
#
# An image has $C$ channels, such as red, green and blue, and one kernel sees all of them: it has a weight for every channel and
# every offset within its window. A layer with $K$ kernels makes $K$ images of the one that it is given, the *feature maps*
# $h_1, \dots, h_K$:
#
# $$h_{o,i,j} = u_o + \sum_{c,a,b} V_{o,c,a,b}\, x_{c,i+a,j+b}$$
#
# There are $k_1 k_2 C$ weights and one bias for every feature, so
#
# $$(k_1 k_2 C + 1)\, K$$
#
# parameters in all, however large the image is.

# %%
import numpy as np
import torch
from sklearn.datasets import load_sample_image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, pad, relu

from convexp.data.digits import digits
from convexp.layers import Conv2d, as_dense, correlate, cost
from convexp.teaching import drawing, show

torch.set_num_threads(1)  # for small networks, more threads mostly wait for each other
torch.manual_seed(0)
photo = torch.tensor(load_sample_image("china.jpg")).permute(2, 0, 1) / 255  # (3, 427, 640)
photo = avg_pool2d(photo, 2)  # (3, 213, 320): red, green, blue from 0 to 1

layer = Conv2d(in_channels=3, out_channels=8, kernel_size=5, input_size=photo.shape[1:], padding="same")
maps = layer(photo)
assert photo.shape == (3, 213, 320)
assert maps.shape == (8, 213, 320)
assert sum(p.numel() for p in layer.parameters()) == (5 * 5 * 3 + 1) * 8 == 608

for size in (5, 32, 1000):  # counted by formula, for images up to a million pixels
    counted = cost(Conv2d(3, 8, 5, input_size=size, device="meta"))
    assert counted.weights + counted.biases == 608

# %% [markdown]
# The kernel does not slide along the channels: it correlates each channel with the weights for this channel, and adds up.

# %%
valid = Conv2d(3, 8, 5, input_size=photo.shape[1:])
by_channel = [correlate(photo[c], valid.weight[0, c]) for c in range(3)]
assert torch.allclose(sum(by_channel) + valid.bias[0], valid(photo)[0], atol=1e-5)

# %% [markdown]
# ## 1x1 kernels: arithmetic with channels
#
# A kernel may be a single pixel wide ($\Delta = 0$). Then it cannot see any neighbour, and what is left is a weighted sum of
# the channels of one pixel: the elementary arithmetic of images. Here are three such sums, written into one layer with three
# kernels. The grey value of a colour weighs green most, as the eye does (ITU-R BT.601); a difference of channels has weights of
# both signs; and the negative of an image needs a bias.

# %%
arithmetic = Conv2d(3, 3, kernel_size=1, input_size=photo.shape[1:])
weights = torch.tensor([[0.299, 0.587, 0.114], [1, 0, -1], [-1 / 3, -1 / 3, -1 / 3]])
with torch.no_grad():
    arithmetic.weight.copy_(weights[:, :, None, None])
    arithmetic.bias.copy_(torch.tensor([0.0, 0.0, 1.0]))
    grey, difference, negative = arithmetic(photo)
red, green, blue = photo
assert torch.allclose(grey, 0.299 * red + 0.587 * green + 0.114 * blue, atol=1e-6)
assert torch.allclose(difference, red - blue, atol=1e-6)
assert torch.allclose(negative, 1 - (red + green + blue) / 3, atol=1e-6)
assert difference[:20].mean() < -0.1 < 0.3 < difference.max()  # the sky is blue, the roofs are not

# %%
figure, axes = drawing(3, 2, width=4.8, height=5.4)
for place, channel, name in zip(axes[:, 0], photo, ("red", "green", "blue"), strict=True):
    place.imshow(channel, cmap="gray", vmin=0, vmax=1, interpolation="none")
    place.set_title(f"in: {name}")
for place, made, name in zip(axes[:, 1], (grey, difference, negative), ("grey", "red − blue", "1 − mean"), strict=True):
    signed = {"cmap": "RdBu_r", "vmin": -0.7, "vmax": 0.7} if name == "red − blue" else {"cmap": "gray", "vmin": 0, "vmax": 1}
    place.imshow(made, interpolation="none", **signed)
    place.set_title(f"out: {name}")
for place in axes.flat:
    place.set_axis_off()
show(
    figure,
    alt="A photograph of a Chinese pagoda: its red, green and blue channels on the left, three maps on the right: grey "
    "values, red minus blue with a blue sky and red roofs, and the negative.",
    caption="Three channels go in, and one layer of three 1x1 kernels makes three maps of them. In the map of red minus "
    "blue, red stands for more red, blue for more blue, and white for as much of both. The "
    "layer has (1·1·3 + 1)·3 = 12 parameters.",
)

# %% [markdown]
# As no pixel sees another, the matrix of a 1x1 convolution from one channel to one has the same number along the diagonal and
# zeros elsewhere. Layers of 1x1 kernels with an activation between them are one multilayer perceptron that is applied to the
# colour of every pixel (Lin et al. 2013 call this a network in a network). Its parameters do not depend on the image's size,
# and if the pixels change places, the outputs change places with them.

# %%
single = Conv2d(1, 1, kernel_size=1, input_size=5)
assert torch.equal(as_dense(single).weight, single.weight.item() * torch.eye(25))

size = photo.shape[1:]
by_kernels = nn.Sequential(Conv2d(3, 16, 1, input_size=size), nn.ReLU(), Conv2d(16, 2, 1, input_size=size))
perceptron = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
for linear, conv in ((perceptron[0], by_kernels[0]), (perceptron[2], by_kernels[2])):
    linear.load_state_dict({"weight": conv.weight.flatten(1), "bias": conv.bias})
pixels = photo.flatten(1).T  # (68160, 3), one colour per row
with torch.no_grad():
    answers = by_kernels(photo).flatten(1).T
    assert torch.allclose(perceptron(pixels), answers, atol=1e-5)
    order = torch.randperm(len(pixels))
    shuffled = pixels[order].T.reshape(photo.shape)
    assert torch.allclose(by_kernels(shuffled).flatten(1).T, answers[order], atol=1e-5)
assert sum(p.numel() for p in by_kernels.parameters()) == (3 + 1) * 16 + (16 + 1) * 2 == 98

# %% [markdown]
# ## Why the kernels start from different values
#
# All kernels of a layer see the same windows. If two of them have the same values, and what follows treats their two maps
# alike, then the loss has the same gradient in both: they take the same step, and are the same after it, and so on for ever. A
# layer with 16 such kernels has one feature, 16 times. Here a small network learns the handwritten digits of scikit-learn
# twice, with 3 seeds each: once all kernels start from different values, and once all start from the same.

# %%
source = digits(test_size=360, split_seed=0)
train, test = (images.double() / 255 for images in (source.train_images, source.test_images))
K = 16


def network(seed: int, same: bool) -> nn.Sequential:
    """16 kernels of 3x3 and a linear readout of their maps; if ``same``, all kernels and their readouts are alike."""
    torch.manual_seed(seed)
    made = nn.Sequential(Conv2d(1, K, 3, input_size=8), nn.ReLU(), nn.Flatten(), nn.Linear(K * 36, 10)).double()
    if same:
        for weight in (made[0].weight, made[0].bias, made[3].weight.view(10, K, 36).transpose(0, 1)):
            weight.data.copy_(weight.data[:1].clone().expand_as(weight))
    return made


def learn(net: nn.Sequential, steps: int = 120) -> float:
    """Minimise the cross entropy on all training images and return the share of right answers on the test images."""
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(steps):
        adam.zero_grad()
        cross_entropy(net(train), source.train_labels).backward()
        adam.step()
    return float((net(test).argmax(1) == source.test_labels).double().mean())


def spread(net: nn.Sequential) -> float:
    """The largest difference between the first kernel and another."""
    kernels = net[0].weight.detach()
    return float((kernels - kernels[:1]).abs().max())


seeds = range(3)
alike, different = ([network(seed, same) for seed in seeds] for same in (True, False))
right_alike, right_different = ([learn(net) for net in nets] for nets in (alike, different))
print(f"all kernels the same at the start: {min(right_alike):.1%} to {max(right_alike):.1%} right (3 seeds)")
print(f"all kernels different at the start: {min(right_different):.1%} to {max(right_different):.1%} right (3 seeds)")
assert max(spread(net) for net in alike) < 1e-6  # after 120 steps still one kernel, 16 times
assert min(spread(net) for net in different) > 0.5
assert np.mean(right_different) > np.mean(right_alike)

tied = network(0, same=True)
with torch.no_grad():
    tied[3].weight.add_(0.01 * torch.randn_like(tied[3].weight))
assert spread(tied) == 0  # the same kernels, but different readouts
learn(tied, steps=1)
assert spread(tied) > 1e-3  # one step is enough to part them

# %% [markdown]
# ## How redundant are the learned features?
#
# Different is not independent. Of the maps of the test images we take the correlations $r_{ij}$ of all pairs, over all images
# and places, and two summaries of this matrix. The *effective rank* $\exp(-\sum_i p_i \ln p_i)$, where $p_i$ are the
# eigenvalues divided by their sum, says how many independent features would spread as widely (Roy and Vetterli 2007); it is $K$
# for uncorrelated maps, and 1 if all maps are multiples of one. And $1 - 1/(R^{-1})_{ii}$ is the share of the variance of map
# $i$ that a linear function of the other maps predicts.


# %%
def correlations(kernels: Tensor, biases: Tensor) -> Tensor:
    """Correlations between the maps after the activation, over all test images and places: (K, K)."""
    features = relu(torch.conv2d(test, kernels, biases)).transpose(0, 1).flatten(1)
    return torch.corrcoef(features[features.std(1) > 1e-6])


def effective_rank(matrix: Tensor) -> float:
    """The exponential of the entropy of the eigenvalues, which are scaled to the sum 1."""
    p = torch.linalg.eigvalsh(matrix).clamp(min=1e-12) / matrix.trace()
    return float((-(p * p.log()).sum()).exp())


def predictable(matrix: Tensor) -> float:
    """The share of the variance of each feature that the others predict, the mean over all features."""
    return float((1 - 1 / torch.linalg.inv(matrix + 1e-9 * torch.eye(len(matrix))).diagonal()).mean())


with torch.no_grad():
    learned = [correlations(net[0].weight, net[0].bias) for net in different]
    start = [correlations(network(seed, False)[0].weight, network(seed, False)[0].bias) for seed in seeds]
ranks, shares = ([[of(m) for m in some] for some in (start, learned)] for of in (effective_rank, predictable))
for name, rank, share in zip(("at the start", "learned"), ranks, shares, strict=True):
    print(f"{name} (3 seeds): effective rank {min(rank):.1f} to {max(rank):.1f} of {K}")
    print(f"   share predicted by the other features: {min(share):.0%} to {max(share):.0%}")
assert 4.5 < min(ranks[1]) <= max(ranks[1]) < 6.5 < 8 < min(ranks[0])  # five or six
assert 0.85 < min(shares[1]) < 1  # nearly all
assert 0.45 < min(shares[0]) <= max(shares[0]) < 0.7  # half to two thirds

# %%
shown = 1  # of the seeds
figure, axes = drawing(2, 2, width=4.8, height=5.2)
for place, nets, name in zip(axes[0], (alike, different), ("equal", "different"), strict=True):
    kernels = nets[shown][0].weight.detach()[:, 0]  # (16, 3, 3)
    tiles = pad(kernels, (0, 1, 0, 1), value=float("nan")).reshape(4, 4, 4, 4)  # (row, column, 4, 4)
    sheet = tiles.transpose(1, 2).reshape(16, 16)[:-1, :-1]
    place.imshow(sheet, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="none")
    place.set_title(f"16 kernels,\n{name} at the start", fontsize=10)
    place.set_axis_off()
for place, matrices, name in zip(axes[1], (start, learned), ("before training", "after training"), strict=True):
    image = place.imshow(matrices[shown].abs(), cmap="viridis", vmin=0, vmax=1, interpolation="none")
    place.set(xlabel="feature", ylabel="feature", xticks=range(0, 16, 5), yticks=range(0, 16, 5))
    place.set_title(f"maps of different kernels,\n{name}", fontsize=10)
    place.grid(visible=False)
figure.colorbar(image, ax=axes[1], label="correlation, without sign", location="bottom", shrink=0.6)
show(
    figure,
    alt="Above 16 equal kernels, and 16 different ones; below two matrices of the correlations of the 16 maps of the "
    "different kernels, before and after training.",
    caption="Above: kernels of 3x3 after training (red above 0, blue below) that were equal or different at the start. "
    "Below: how strongly the maps of the different ones are correlated, pair by pair. After training the 16 maps are as "
    "diverse as five or six independent ones would be.",
)

# %% [markdown]
# So 16 learned features hold about as much as 5 or 6 independent ones, and of the variance of each the others predict nearly
# all; of the 16 random features from which the training started, half to two thirds. Training makes the features useful, not
# independent. That much of a network's weights can be predicted from the rest was measured on larger networks by Denil et al.
# (2013), and is one reason why trained networks can be pruned. For a run of your own, `convexp-train
# 'probes=[kernels,feature_maps]'` draws kernels and maps.
#
# ## Questions
#
# 1. A layer takes 64 maps to 128, with 3x3 kernels. How many parameters has it, and how many has a 1x1 convolution from 64 to
#    16 followed by the 3x3 from 16 to 128?
#
#    <details><summary>Answer</summary>(3·3·64 + 1)·128 = 73,856 against (64 + 1)·16 + (3·3·16 + 1)·128 = 19,600.</details>
#
# 2. Start with all weights and biases at zero. What does the network learn?
#
#    <details><summary>Answer</summary>Only the biases of the readout. The gradient of a kernel has the factor of its readout,
#    which is zero, and the gradient of the readout has the factor of the map, which is zero too.</details>
#
# 3. Train with 4, 16 and 64 kernels. How do the number of right answers and the effective rank grow?
#
#    <details><summary>Answer</summary>The effective rank grows much more slowly than the number of kernels, and the number of
#    right answers only a little: the additional features resemble those that are there.</details>

# %%
assert cost(Conv2d(64, 128, 3, input_size=8)).weights + 128 == 73856
assert sum(p.numel() for layer in (Conv2d(64, 16, 1, 8), Conv2d(16, 128, 3, 8)) for p in layer.parameters()) == 19600

zero = network(0, same=False)
for parameter in zero.parameters():
    parameter.data.zero_()
learn(zero, steps=5)
assert [bool(parameter.any()) for parameter in zero.parameters()] == [False, False, False, True]

# %% [markdown]
# ## Sources
#
# Zhang, Lipton, Li, Smola, *Dive into Deep Learning*, chapter "Convolutional Neural Networks", section "Multiple Input and
# Multiple Output Channels". Goodfellow, Bengio, Courville, *Deep Learning*, sections 8.4 (parameter initialization) and 9.5.
# Lin, Chen, Yan 2013, *Network in Network*, arXiv 1312.4400. Denil et al. 2013, *Predicting Parameters in Deep Learning*, arXiv
# 1306.0543. Roy, Vetterli 2007, *The effective rank*, EUSIPCO.
