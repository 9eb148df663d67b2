# %% [markdown]
# # 9. When invariance is the wrong prior
#
# After this lesson you can tell for a task whether invariance helps or forbids the answer, and what coordinates as extra
# channels change.
#
# A convolution with a global readout assumes that what is worth knowing does not depend on the place. Pigs do not fly: a fat
# animal low in a picture is a pig, and the same shape high up had better be something else. We draw two animals somewhere on
# 12 by 12 pixels, the upper half of which is sky and the lower half ground, and ask three questions about the same pictures:
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

SIDE, PLACES = 12, 8  # an animal has 5 by 5 pixels, so its first one is in rows and columns 0 to 7
bird = torch.tensor([[1, 0, 0, 0, 1], [1, 1, 0, 1, 1], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]])
pig = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 1, 0, 1, 0]])


def pictures(n: int, seed: int, down: int = 0, right: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """Pictures (n, 1, 12, 12) and the answers to each question; down and right move the animals, and nothing else."""
    generator = torch.Generator().manual_seed(seed)
    what = torch.randint(2, (n,), generator=generator)  # 0 is a bird, 1 a pig
    at = torch.randint(PLACES, (n, 2), generator=generator)
    noise = 0.3 * torch.randn(n, 1, SIDE, SIDE, generator=generator)
    at = (at + torch.tensor([down, right])) % PLACES
    where = (at[:, 0] >= PLACES // 2).long()  # 0 is the sky, 1 the ground
    animals = torch.stack((bird, pig))[what][:, None].float()
    return place_each(animals, (SIDE, SIDE), at) + noise, {"what": what, "where": where, "wrong": what ^ where}


train, answers = pictures(200, seed=0)
test, test_answers = pictures(1000, seed=1)

figure, axes = drawing(1, 4, width=7.2, height=2.2)
for ax, (kind, half) in zip(axes, ((1, 1), (1, 0), (0, 0), (0, 1)), strict=True):
    index = int(((test_answers["what"] == kind) & (test_answers["where"] == half)).nonzero()[0])
    ax.imshow(test[index, 0], cmap="cividis")
    ax.axhline(SIDE / 2 - 0.5, color="white", linestyle=":")
    ax.set(title=f"{('bird', 'pig')[kind]}, {('sky', 'ground')[half]}", xlabel="column", xticks=[0, 5, 10], yticks=[0, 5, 10])
    ax.grid(False)
axes[0].set_ylabel("row")
show(
    figure,
    alt="Four noisy pictures of 12 by 12 pixels with a dotted line in the middle: a pig on the ground, a pig in the "
    "sky, a bird in the sky and a bird on the ground.",
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
# In the last one a feature map gets, in place of the bias $u$, a sum that depends on the place. With the weights $V^{row}$
# and $V^{col}$ of the new channels it is $u + \sum_{a,b} V^{row}_{a,b} \, r_{i+a} + V^{col}_{a,b} \, c_{j+b}$, and this is
# linear in row and column away from the border. The kernel of the picture is shared as before. So the layer can be as
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


def fit(network: nn.Sequential, labels: Tensor, steps: int = 150) -> nn.Sequential:
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
measured = {make.__name__: {q: accuracies(make, q) for q in answers} for make in (conv, local, conv_with_coordinates)}
for name, by_question in measured.items():
    print(f"{name:22}", *(f"{q}: {min(found):.2f} to {max(found):.2f}  " for q, found in by_question.items()))
