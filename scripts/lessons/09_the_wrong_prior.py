# %% [markdown]
# # 9. When invariance is the wrong prior
#
# After this lesson you can tell for a task whether invariance helps or forbids the answer, and what coordinates as extra
# channels change.
#
# A convolution with a global readout assumes that what is worth knowing does not depend on the place. Pigs do not fly: a fat
# animal low in a picture is a pig, and the same shape high up is probably something else. We draw two animals somewhere on 12
# by 12 pixels, the upper half of which is sky and the lower half ground (the middle of the animal decides), and ask three
# questions about the same pictures:
#
# - *What* is it, pig or bird? The place does not matter.
# - *Where* is it, in the sky or on the ground? Only the place matters.
# - *Is it wrong* there (a pig in the sky, a bird on the ground)? Both matter.

# %%
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from convexp.data.canvas import circular, place_each
from convexp.layers import Conv2d, LocallyConnected2d
from convexp.models.parts import ReadoutLayer
from convexp.pictures.palette import hue
from convexp.teaching import drawing, show

torch.set_num_threads(1)  # so that the number of cores does not change the sums
SIDE, PLACES = 12, 8  # an animal has 5 by 5 pixels, so its first one is in rows and columns 0 to 7
bird = torch.tensor([[1, 0, 0, 0, 1], [1, 1, 0, 1, 1], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]])
pig = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 1, 0, 1, 0]])


def pictures(n: int, seed: int, down: int = 0, right: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """Pictures (n, 1, 12, 12) and the answers to each question; down and right move the animals, and nothing else."""
    generator = torch.Generator().manual_seed(seed)
    what = torch.randint(2, (n,), generator=generator)  # 0 is a bird, 1 a pig
    at = torch.randint(PLACES, (n, 2), generator=generator)
    noise = 0.2 * torch.randn(n, 1, SIDE, SIDE, generator=generator)
    at = (at + torch.tensor([down, right])) % PLACES
    where = (at[:, 0] >= PLACES // 2).long()  # 0 is the sky, 1 the ground
    animals = torch.stack((bird, pig))[what][:, None].float()
    return place_each(animals, (SIDE, SIDE), at) + noise, {"what": what, "where": where, "wrong": what ^ where}


train, answers = pictures(200, seed=0)
test, test_answers = pictures(1000, seed=1)

# %%
figure, axes = drawing(2, 2, width=4.8, height=4.6)
for ax, (kind, half) in zip(axes.flat, ((1, 0), (0, 0), (1, 1), (0, 1)), strict=True):
    index = int(((test_answers["what"] == kind) & (test_answers["where"] == half)).nonzero()[3])
    ax.imshow(test[index, 0], cmap="cividis")
    ax.axhline(SIDE / 2 - 0.5, color="white", linestyle=":")
    ax.set(
        title=f"{('bird', 'pig')[kind]}, {('sky', 'ground')[half]}",
        xlabel="column",
        ylabel="row",
        xticks=[0, 5, 10],
        yticks=[0, 5, 10],
    )
    ax.grid(False)
show(
    figure,
    alt="Four noisy pictures of 12 by 12 pixels with a dotted line in the middle: a pig and a bird in the sky, and "
    "below them a pig and a bird on the ground.",
    caption="Two animals and two halves. The dotted line is drawn here only; the networks do not see it.",
)

# %% [markdown]
# ## Three networks
#
# - **Convolution**: two layers with a circular border and the global maximum of each feature map. By construction its answer
#   is the same wherever the animal is, whatever its weights are.
# - **Local**: a locally connected layer, and a readout with a weight for each place.
# - **Convolution with coordinates** (CoordConv, Liu and others 2018): the same network as the first, but the picture has two
#   more channels, which hold the row and the column of each pixel, from -1 to 1.
#
# The first two differ in more than sharing: two layers and a global maximum stand against one layer and a flattened readout.
#
# In the third a feature map gets, in place of the bias $u$, a sum that depends on the place. With the weights
# $V^{\mathrm{row}}$ and $V^{\mathrm{col}}$ of the new channels it is
#
# $$u + \sum_{a,b} V^{\mathrm{row}}_{a,b} \, r_{i+a} + V^{\mathrm{col}}_{a,b} \, c_{j+b}$$
#
# This is linear in row and column away from the border. The kernel of the picture is shared as before. So the layer can be as
# independent of the place as it was (weights of 0), or not.

# %%
line = torch.linspace(-1, 1, SIDE)
rows, columns = torch.meshgrid(line, line, indexing="ij")


class Coordinates(nn.Module):
    """Adds the channels row and column: (B, C, H, W) -> (B, C + 2, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x, torch.stack((rows, columns)).expand(len(x), -1, -1, -1)), dim=1)


def conv(channels: int = 1, border: str = "circular") -> nn.Sequential:
    first = Conv2d(channels, 12, 5, SIDE, padding="same", padding_mode=border)
    second = Conv2d(12, 12, 3, SIDE, padding="same", padding_mode=border)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), ReadoutLayer("global_max"), nn.Linear(12, 2))


def local() -> nn.Sequential:
    layer = LocallyConnected2d(1, 6, 5, SIDE, padding="same", padding_mode="circular")
    return nn.Sequential(layer, nn.ReLU(), ReadoutLayer("flatten"), nn.Linear(6 * SIDE**2, 2))


def conv_with_coordinates() -> nn.Sequential:
    return nn.Sequential(Coordinates(), *conv(channels=3))


torch.manual_seed(0)
with torch.no_grad():
    untrained, layer = conv(), Conv2d(3, 1, 5, SIDE, padding="same")
    for shift in ((3, 0), (0, 5), (6, 6)):  # pictures on a circle
        assert torch.allclose(untrained(circular(test, shift)), untrained(test), atol=1e-4)
    place_only = layer(Coordinates()(torch.zeros(1, 1, SIDE, SIDE)))[0, 0, 2:-2, 2:-2]  # away from the border
    for slopes in (place_only.diff(dim=0), place_only.diff(dim=1)):
        assert torch.allclose(slopes, slopes[0, 0].expand_as(slopes), atol=1e-5)  # linear in row and column


# %%
def fit(network: nn.Sequential, labels: Tensor, steps: int = 100) -> nn.Sequential:
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(train), (50,))
        loss = cross_entropy(network(train[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.requires_grad_(False)


def accuracies(make: Callable[[], nn.Sequential], question: str) -> list[float]:
    """Test accuracy with three draws of weights and batches, n = 3; the last network is kept."""
    found: list[float] = []
    for seed in range(3):
        torch.manual_seed(seed)
        trained[make.__name__, question] = network = fit(make(), answers[question])
        found.append(float((network(test).argmax(1) == test_answers[question]).float().mean()))
    return found


trained: dict[tuple[str, str], nn.Sequential] = {}
makers = {"convolution": conv, "local": local, "convolution with coordinates": conv_with_coordinates}
measured = {name: {question: accuracies(make, question) for question in answers} for name, make in makers.items()}
for name, by_question in measured.items():
    print(name)
    for question, found in by_question.items():
        print(f"    {question:6} {min(found):.2f} to {max(found):.2f}")

of_conv, of_local, of_coordinates = measured.values()
assert min(of_conv["what"]) > 0.95
assert all(0.4 < each < 0.6 for each in of_conv["where"] + of_conv["wrong"])  # chance
assert max(of_local["what"]) < 0.85
assert min(of_local["where"]) > 0.9
assert max(of_local["wrong"]) < 0.8
assert all(min(found) > 0.85 for found in of_coordinates.values())
described = " ".join(
    f"{question.capitalize()}: "
    + ", ".join(f"{name} {sum(by_question[question]) / 3:.0%}" for name, by_question in measured.items())
    + "."
    for question in answers
)

figure, axes = drawing(width=4.8, height=3.4)
looks = (hue("conv"), hue("local"), hue("", 1))
for offset, look, (name, by_question) in zip((-0.2, 0, 0.2), looks, measured.items(), strict=True):
    found = torch.tensor(list(by_question.values()))  # (3 questions, 3 seeds)
    middle = found.mean(1)
    error = torch.stack((middle - found.amin(1), found.amax(1) - middle))
    places = torch.arange(3) + offset
    axes.errorbar(places, middle, yerr=error, color=look.light, marker=look.marker, linestyle="", capsize=3, label=name)
axes.axhline(0.5, color=hue("", 0).light, linestyle=":", linewidth=1)
axes.set(
    ylabel="test accuracy", ylim=(0.4, 1.03), xticks=range(3), xticklabels=["What is it?", "Where is it?", "Is it wrong there?"]
)
figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left")
show(
    figure,
    alt=f"Test accuracy of three networks on three questions. {described}",
    caption="Test accuracy after training on 200 pictures, mean and range over n = 3 seeds; dotted is chance. Of the first "
    "two, each is better at the question that its prior fits. With coordinates the convolution answers all three.",
)

# %% [markdown]
# The same fact that helps the convolution in the first question, that its answer cannot depend on the place, forbids the
# second and the third. The local network can tell places apart, but has to see each animal at each place, and 200 pictures
# are too few for that. The third network need not choose beforehand.
#
# ## What coordinates change
#
# The network with coordinates could depend on the place in any question. What did it learn? We move the animals of the test
# pictures by 4 pixels, down or to the right (those that would leave enter on the other side), leave the noise where it is,
# and count the answers that change.

# %%
changes: dict[str, tuple[float, float]] = {}
for question in answers:
    network = trained["conv_with_coordinates", question]
    answer = network(test).argmax(1)
    moved = (network(pictures(1000, seed=1, **move)[0]).argmax(1) for move in ({"down": 4}, {"right": 4}))
    down, aside = (float((each != answer).float().mean()) for each in moved)
    changes[question] = down, aside
    print(f"{question:6} down {100 * down:5.1f} %   right {100 * aside:4.1f} %")
assert max(changes["what"]) < 0.1  # invariant to both
assert min(changes["where"][0], changes["wrong"][0]) > 0.85  # not to the row, as the task demands
assert max(changes["where"][1], changes["wrong"][1]) < 0.15  # but to the column

border = [float(v) for v in accuracies(lambda: conv(border="zeros"), "where")]
print(f"with zeros at the border, without coordinates, where: {min(border):.2f} to {max(border):.2f}")
assert min(border) > 0.6 > max(of_conv["where"])

# %% [markdown]
# All three, one for each question, were free to use both coordinates. For *what* the answers came to depend on neither, for
# *where* and *is it wrong* on the row alone: they learned that the column does not matter. This is learned from examples,
# though, and holds as far as they reach; the invariance of the first network is exact, for any weights and any picture on a
# circle.
#
# The last line is a warning: zeros around the maps are coordinates, too. The same convolution with `padding_mode=zeros` and a
# global maximum is far above chance on *where*, because on a small picture its units see the border. Whoever wants a network
# that is blind to place has to mind the border (lesson 7).
#
# ## To try
#
# 1. Give 2000 training pictures in place of 200 (`pictures(2000, seed=0)`). Which of the three networks changes its accuracy
#    most, and why?
#    <details><summary>Answer</summary>The local one: now it has seen each animal at each place.</details>
# 2. Add only the row as a channel. Which of the three questions become harder?
#    <details><summary>Answer</summary>None: all three can be answered without the column. To leave it out is again a prior,
#    one that is right here.</details>
# 3. Train with animals in the left half only and test in the right half. What do you expect from each network on *where*?
#    <details><summary>Hint</summary>The weights of the local network on the right have only ever seen noise.</details>
#
# ## Sources
#
# A. Zhang and others, *Dive into Deep Learning*, section "From Fully Connected Layers to Convolutions" (pigs do not fly). I.
# Goodfellow, Y. Bengio and A. Courville, *Deep Learning*, section 9.4 (convolution and pooling as an infinitely strong
# prior). R. Liu and others 2018, *An Intriguing Failing of Convolutional Neural Networks and the CoordConv Solution*, arXiv
# 1807.03247. O. S. Kayhan and J. C. van Gemert 2020, *On Translation Invariance in CNNs*, arXiv 2003.07064.
