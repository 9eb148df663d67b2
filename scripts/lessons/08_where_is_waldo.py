# %% [markdown]
# # 8. Where is Waldo?
#
# After this lesson you know how a network that was trained on small pictures, and only to say *whether* Waldo is there, tells
# *where* he is in a picture of any size, and why a dense or locally connected network cannot.
#
# A convolutional network without a flattened readout gives a score to every place: $s = f(x)$ is a map. A picture gets the
# score of its best place, and Waldo is where that is:
#
# $$ \text{is he there?} \quad \max_{i,j} s_{i,j} > 0 $$
#
# $$ \text{where?} \quad \text{argmax}_{i,j} \; s_{i,j} $$
#
# Our Waldo wears horizontal stripes, 4 by 4 pixels, in red. Around him is a crowd in red whose clothes have as many bright
# pixels: vertical stripes, checks, diagonals, halves. Then there are two crowds in green and in blue, each with somebody in
# horizontal stripes. So neither stripes nor red alone find him. On top of all that lies noise.

# %%
import torch
from matplotlib.patches import Rectangle
from scipy.stats import binomtest
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from convexp.data.waldo import waldo_images
from convexp.layers import Conv2d, Dense2d, LocallyConnected2d, cost
from convexp.models.parts import ReadoutLayer
from convexp.pictures.palette import hue
from convexp.teaching import drawing, show

torch.set_num_threads(1)  # so that the number of cores does not change the sums


def crowd(part: str, n: int, side: int, task: str, noise: float = 48.0) -> tuple[Tensor, Tensor, Tensor]:
    """Colour images (n, 3, side, side), grey at 0; whether Waldo is there (n,); his first row and column (n, 2)."""
    around, scenes = side**2 // 128 - 1, []  # seven others on 32 by 32 pixels
    for colour, what in enumerate((task, "location", "location")):  # the stripes are always there in green and blue
        scenes.append(waldo_images(part, n, [1, side, side], what, 2, 4, around, noise, seed=colour))
    images = torch.cat([scene[0] for scene in scenes], dim=1).float() / 64 - 2
    return images, (scenes[0][2][:, 0] >= 0).float(), scenes[0][2]


train, present, _ = crowd("train", 2000, 16, "presence")
assert train.shape[1:] == (3, 16, 16)
assert present.mean() == 0.5

# %% [markdown]
# ## Trained on small canvases
#
# The network has one hidden layer: 12 kernels of 5 by 5 pixels, and a kernel of 1 by 1 that weighs their answers at each
# place. It is trained on 2000 canvases of 16 by 16 pixels with the answer to "is he there?". Nobody tells it where.

# %%
highest = ReadoutLayer("global_max")


def build(layer: type[Conv2d | LocallyConnected2d | Dense2d], side: int, channels: int = 3) -> nn.Sequential:
    return nn.Sequential(layer(channels, 12, 5, side, padding=2), nn.ReLU(), layer(12, 1, 1, side))


def fit(images: Tensor, epochs: int = 10) -> nn.Sequential:
    """A convolutional network, trained to answer whether Waldo is there."""
    torch.manual_seed(0)
    network = build(Conv2d, images.shape[-1], images.shape[1])
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=epochs * len(images) // 50)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(50):
            loss = binary_cross_entropy_with_logits(highest(network(images[rows]))[:, 0], present[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network


in_colour = fit(train)
with torch.no_grad():
    test, there, _ = crowd("test", 1000, 16, "presence")
    accuracy = ((highest(in_colour(test))[:, 0] > 0) == (there > 0)).float().mean()
parameters = sum(p.numel() for p in in_colour.parameters())
print(f"{parameters} parameters; {100 * accuracy:.1f} % right on 1000 new canvases")
assert accuracy > 0.85
assert parameters == (5 * 5 * 3 + 1) * 12 + 12 + 1

# %% [markdown]
# ## The same weights on a large canvas
#
# The layers of convexp are made for one size of input, so that each knows its cost and its weights. For the larger canvas we
# make the network again and give it the weights that were trained. Those of a convolution do not depend on the size.

# %%
on_large = build(Conv2d, 64)
on_large.load_state_dict(in_colour.state_dict())
clear, _, places = (each[3:4] for each in crowd("test", 4, 64, "location", noise=12.0))
with torch.no_grad():
    scores = on_large(clear)[0, 0]  # (64, 64)
row, column = divmod(int(scores.argmax()), 64)
top, left = places[0].tolist()
assert top <= row < top + 4
assert left <= column < left + 4

figure, axes = drawing(1, 2, width=5.4, height=4.0, sharey=True)
axes[0].imshow(((clear[0] + 2) * 64 / 255).permute(1, 2, 0))
heat = axes[1].imshow(scores, cmap="cividis", vmin=-25)
for ax, title in zip(axes, ("the crowd", "score of each place"), strict=True):
    ax.add_patch(Rectangle((left - 1.5, top - 1.5), 6, 6, fill=False, edgecolor="white", linewidth=2))
    ax.set(title=title, xlabel="column", ylabel="row", xticks=[0, 20, 40, 60], yticks=[0, 20, 40, 60])
    ax.grid(False)
axes[1].set_ylabel("")
figure.colorbar(heat, ax=axes, label="score", location="bottom", shrink=0.6)
show(
    figure,
    alt="Left a canvas of 64 by 64 pixels full of striped and checked patches in three colours. Right the map of "
    "scores, dark but for one bright spot, which lies in the white frame around Waldo.",
    caption="The network was trained on canvases a sixteenth as large, and never told where Waldo is. The peak of its "
    "scores lies on him. (The noise is a quarter of that in the training, so that we can see him, too.)",
)

# %% [markdown]
# Dense and locally connected layers have weights for each place, and so for one size. When we make their networks again for
# the larger canvas, the weights for the small one do not fit, and for the places outside there are none.

# %%
for layer in (Conv2d, LocallyConnected2d, Dense2d):
    with torch.device("meta"):  # shapes without memory for the weights
        large = build(layer, 64)
    try:
        large.load_state_dict(build(layer, 16).state_dict(), assign=True)
        fits = True
    except RuntimeError as error:
        fits = False
        print(f"{layer.__name__}: {str(error).splitlines()[1].strip()}".replace(", the", ",\n    the"))
    assert fits == (layer is Conv2d)
assert cost(Conv2d(3, 12, 5, 16, padding=2)).weights == cost(Conv2d(3, 12, 5, 64, padding=2)).weights == 900
local = [cost(LocallyConnected2d(3, 12, 5, side, padding=2, device="meta")).weights for side in (16, 64)]
dense = [cost(Dense2d(3, 12, 5, side, padding=2, device="meta")).weights for side in (16, 64)]
assert local == [900 * 16**2, 900 * 64**2]  # 230 thousand, 3.7 million
assert dense == [36 * 16**4, 36 * 64**4]  # 2.4 million, 604 million

# %% [markdown]
# ## How often it finds him, and what colour is for
#
# One picture proves little. We count over many large canvases, with the 95 % interval of Wilson for a share of $n$ cases. To
# see what colour is for, a second network is trained with the red channel alone, where there is only one with horizontal
# stripes. It then looks at the sum of the three channels, in which there are three.


# %%
def finds(network: nn.Sequential, images: Tensor, at: Tensor) -> Tensor:
    """Whether the peak of the scores lies on Waldo, (n,)."""
    side = images.shape[-1]
    larger = build(Conv2d, side, images.shape[1])
    larger.load_state_dict(network.state_dict())
    with torch.no_grad():
        peak = torch.cat([larger(batch).flatten(1).argmax(1) for batch in images.split(50)])
    found = torch.stack((peak // side, peak % side), 1)
    return ((found >= at) & (found < at + 4)).all(1)


in_red = fit(train[:, :1])
sides = (16, 32, 48, 64)
rates: dict[str, list[tuple[float, float, float]]] = {"three colours": [], "only the red crowd": [], "all in grey": []}
for side in sides:
    images, _, at = crowd("test", 300, side, "location")
    grey = images.sum(1, keepdim=True)
    tries = (finds(in_colour, images, at), finds(in_red, images[:, :1], at), finds(in_red, grey, at))
    for name, hits in zip(rates, tries, strict=True):
        interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
        rates[name].append((float(hits.float().mean()), interval.low, interval.high))
for name, rate in rates.items():
    print(name)
    for side, (share, low, high) in zip(sides, rate, strict=True):
        print(f"    {side}x{side}  {share:.2f} ({low:.2f} to {high:.2f})")
    assert all(high < 0.45 for _, _, high in rate) if name == "all in grey" else all(low > 0.7 for _, low, _ in rate)
images, _, at = crowd("test", 600, 64, "location", noise=48 / 3**0.5)  # the noise of the sum is that of one channel again
quieter = float(finds(in_red, images.sum(1, keepdim=True), at).float().mean())
print(f"all in grey, 64x64, with the noise of one channel  {quieter:.2f}")
assert rates["all in grey"][-1][0] + 0.04 < quieter < 0.4

figure, axes = drawing(width=4.8, height=3.2)
looks = (hue("conv"), hue("", 1), hue("", 0))
for look, (name, rate) in zip(looks, rates.items(), strict=True):
    share, low, high = (torch.tensor(each) for each in zip(*rate, strict=True))
    axes.errorbar(sides, share, yerr=(share - low, high - share), color=look.light, marker=look.marker, capsize=3, label=name)
axes.axhline(1 / 3, color=hue("", 0).light, linestyle=":", linewidth=1)
axes.set(
    xlabel="side of the canvas (pixels)", ylabel="share of canvases on which\nWaldo is found", ylim=(0, 1.04), xticks=sides
)
axes.legend(loc="center right", bbox_to_anchor=(1, 0.62))
show(
    figure,
    alt="Share found by side of the canvas, from 16 to 64 pixels, with intervals. "
    + "; ".join(f"{name}: from {100 * rate[0][0]:.0f} to {100 * rate[-1][0]:.0f} %" for name, rate in rates.items())
    + ". A dotted line lies at a third.",
    caption="Share of n = 300 canvases on which the peak lies on Waldo, with 95 % intervals of Wilson. The larger the "
    "canvas, the more places where noise may look like him. In grey three wear his stripes, and picking one of "
    "them is right one time in three (dotted).",
)

# %% [markdown]
# In grey the three look the same, and no network could tell them apart. The share falls below one in three on large canvases
# because the noise of three channels adds up, too, and the network was trained with that of one; with less noise in each
# channel, so that the sum has the noise of one, the share rises again. Colour is one more sum in the formula of the hidden
# layer, the one over $c$, and that is all it takes:
#
# $$h_{o,i,j} = u_o + \sum_{c,a,b} V_{o,c,a,b} \, x_{c,i+a,j+b}$$
#
# A ReLU and the kernel of 1 by 1 make the score $s_{i,j}$ of these.
#
# The study `convexp-train study=waldo` compares dense, local and convolutional networks on this task in grey, all on canvases
# of one size, and `study=waldo_where` those that are told the place. Their files in `conf/study` say what was measured.
#
# ## To try
#
# 1. Remove Waldo from the large canvas (`crowd("test", 300, 64, "presence")` has every other canvas without him). Where is
#    the peak, and how high?
# 2. A dense network can be laid over a large canvas piece by piece, each piece as large as its input. Which layer is that?
#    <details><summary>Answer</summary>A convolution whose kernel is as large as the small canvas, with the pieces' distance
#    as its stride: the weights are shared among the pieces.</details>
# 3. Replace the highest score by the mean, `ReadoutLayer("global_avg")`, in the training. Why does it learn less?
#    <details><summary>Hint</summary>Waldo fills 16 of 256 places. What share of the mean score, and of the gradient, is
#    his?</details>
#
# ## Sources
#
# A. Zhang and others, *Dive into Deep Learning*, section "From Fully Connected Layers to Convolutions" (where Waldo is). M.
# Oquab, L. Bottou, I. Laptev and J. Sivic 2015, *Is Object Localization for Free? Weakly-Supervised Learning with
# Convolutional Neural Networks*, CVPR: the highest score of a map, trained without places. E. B. Wilson 1927, *Probable
# Inference, the Law of Succession, and Statistical Inference*, JASA 22: the interval.
