# %% [markdown]
# # 10. Sound and text
#
# At the end of this lesson you know why a convolution finds a motif anywhere in a sound with few weights, and why locality, and
# a mean over single words, fail for text.
#
# ## The derivation in one dimension
#
# A sound is a signal $x_k$: one number for each moment $k$. The most general linear layer gives every unit $i$ a weight for
# every moment:
#
# $$h_i = u_i + \sum_k W_{i,k}\, x_k$$
#
# Count moments from the unit that looks at them, $k = i + a$, and write $V_{i,a} = W_{i,i+a}$. Nothing changes. Then comes
# *locality*: the offsets $a$ reach no further than $\Delta$.
#
# $$h_i = u_i + \sum_{a=-\Delta}^{\Delta} V_{i,a}\, x_{i+a}$$
#
# Then comes *sharing*: what is worth hearing at one moment is worth hearing at another, so that weights and bias do not depend
# on $i$.
#
# $$h_i = u + \sum_{a=-\Delta}^{\Delta} v_a\, x_{i+a}$$
#
# These are the steps of lesson 1. A signal is an image of height 1.

# %%
import tempfile

import torch
from torch import nn

import convexp
from convexp.data.tones import motif_names, motifs
from convexp.execution.restore import OpenedRun
from convexp.geometry import receptive_field
from convexp.layers import Conv1d, Dense1d, as_dense, as_local, cost, nearest_conv, nearest_local
from convexp.pictures.palette import hue
from convexp.teaching import drawing, show

torch.manual_seed(0)
torch.set_grad_enabled(False)
x = torch.randn(1, 1, 128)  # (batch, channels, moments)
dense = Dense1d(1, 1, kernel_size=9, input_size=128, padding="same")  # the window only sets the number of units
local = nearest_local(dense)  # keeps the weights within the windows
conv = nearest_conv(local)  # one kernel for all moments: tap by tap, the mean over the units whose tap meets a moment
assert [cost(layer).weights for layer in (dense, local, conv)] == [128 * 128, 128 * 9, 9]
assert torch.allclose(as_local(conv)(x), conv(x), atol=1e-6)
assert torch.allclose(as_dense(conv)(x), conv(x), atol=1e-6)

flat = nn.Conv2d(1, 1, kernel_size=(1, 9), padding=(0, 4))  # for images, with a kernel of height 1
flat.weight.copy_(conv.weight[:, :, None])
flat.bias.copy_(conv.bias)
assert torch.allclose(flat(x[:, :, None])[:, :, 0], conv(x), atol=1e-6)

# %% [markdown]
# ## A motif in noise
#
# Each signal of `data=tones` has 128 moments of noise, and somewhere in it sound three notes, with periods of 16, 8 and 4
# moments. Their order is the class: there are six. No note tells the class by itself, as all three sound in every signal.
#
# Three networks have the same skeleton, of two stages with windows of 9 moments and a readout with weights of its own for every
# place, and differ in the wiring only. They learn from 4,000 signals.

# %%
settings = [
    *("data=tones", "data.source.noise=16", "data.source.train=4500", "data.val_size=500", "data.batch_size=64"),
    *("model.kernel_size=9", "trainer.max_epochs=3", "trainer=cpu", "trainer.threads=1"),
    *("probes=localisation", "logger=none", "playground=false"),
]


def trained(*more: str) -> list[OpenedRun]:
    """The runs with two seeds; their folders are deleted, as all that we look at has been read from them."""
    with torch.enable_grad(), tempfile.TemporaryDirectory() as place:
        return [convexp.train(*settings, *more, f"seed={n}", folder=f"{place}/{n}", progress=False) for n in range(2)]


runs = {wiring: trained(f"model={wiring}") for wiring in ("dense", "local", "conv")}
accuracy = {name: [run.record.metrics["test/acc"] for run in found] for name, found in runs.items()}
for name, found in accuracy.items():
    print(f"{name}: {min(found):.1%} to {max(found):.1%} of 2,000 test signals (n = 2 seeds, chance 16.7 %)")
parameters = {name: found[0].record.network.parameters for name, found in runs.items()}
assert parameters["conv"] * 100 < parameters["dense"]
assert min(accuracy["conv"]) > 0.05 + max(*accuracy["local"], *accuracy["dense"])

# %% [markdown]
# The convolution answers more signals right, with less than a hundredth of the parameters of the dense network. Dense and local
# networks have to learn each motif anew for every place at which it can sound.
#
# The feature map of the last stage shows where. The network is trained on classes only, and nobody told it where motifs lie.
# That is no merit of the training: the motif is louder than the noise, and a network that answers at chance (below) shows it as
# well.

# %%
run = runs["conv"][0]
found = run.record.probes["localisation"].numbers
assert found["energy"] > 0.8 > 0.5 > found["chance"]  # share of test signals in which the loudest unit lies on the motif

signals, labels = run.data.test.first(1)
first, after = run.data.objects[0].flatten().tolist()  # where the motif lies
features = run.network.representations(signals)["stages.1"][0]  # (channels, places)
figure, (above, below) = drawing(2, 1, width=4.8, height=4.2, sharex=True)
above.plot(signals[0, 0], color=hue("conv").light, lw=1)
above.axvspan(first, after, color="#8a8f98", alpha=0.25)
above.set(ylabel="signal", title=f"motif {run.data.class_name(int(labels[0]))}, from moment {first} to {after - 1}")
below.imshow(features, cmap="cividis", aspect="auto", extent=(0, 128, len(features), 0))
for edge in (first, after):
    below.axvline(edge, color="white", lw=1, ls="--")
below.grid(visible=False)
below.set(xlabel="moment", ylabel="channel")
show(
    figure,
    alt=f"A noisy signal of 128 moments with the motif marked from {first} to {after - 1}, and below it a feature map of 32 "
    "channels that is bright between the same two moments.",
    caption="A test signal, and the feature map of the convolution's second stage. The units that answer loudly lie where the "
    "motif sounds. In most test signals the loudest place is one of the motif's.",
)

# %% [markdown]
# ## What the window has to hold
#
# Now the readout takes the maximum of each feature map, over all places. It cannot tell the places apart any more, so the
# window alone has to tell the order of the notes. With kernels of 5 and 3 moments a unit of the last stage sees 9 moments,
# hardly more than half of a note. With kernels of 9 it sees 25 moments, and so the step from one note to the next.

# %%
assert receptive_field([5, 3], [2, 2], [1, 1])[0] == 9
assert receptive_field([9, 9], [2, 2], [1, 1])[0] == 25
short = trained("model.readout=global_max", "model.kernel_size=[5,3]")
long = trained("model.readout=global_max")
by_window = {sees: [run.record.metrics["test/acc"] for run in found] for sees, found in ((9, short), (25, long))}
for sees, found in by_window.items():
    print(f"a unit sees {sees} moments: {min(found):.1%} to {max(found):.1%} (n = 2 seeds)")
assert max(by_window[9]) < 0.3 < 0.9 < min(by_window[25])
assert short[0].record.probes["localisation"].numbers["energy"] > 0.8  # at chance, and still its loudest unit lies on the motif

figure, (above, below) = drawing(2, 1, width=4.8, height=4.8)
sound, names = motifs([16, 8, 4], 16), motif_names([16, 8, 4])
for row in (0, 5):
    above.plot(sound[row] + (2.4 if row == 0 else 0), color=hue("conv").light, label=names[row])
    above.text(0, 3.6 if row == 0 else 1.1, names[row], fontsize=8)
above.plot([20, 28], [-1.3, -1.3], lw=4, color="#8a8f98")
above.text(30, -1.4, "9 moments", fontsize=8, va="center")
above.plot([20, 44], [-2.1, -2.1], lw=4, color="#8a8f98")
above.text(45, -2.2, "25", fontsize=8, va="center")
above.grid(visible=False)
above.set(xlabel="moment", yticks=[], ylim=(-2.7, 4.2), title="two motifs and two windows")
everything = {"dense": accuracy["dense"], "local": accuracy["local"], "conv": accuracy["conv"]}
for place, (name, values) in enumerate(everything.items()):
    below.plot([place] * 2, [100 * v for v in values], "o", color=hue(name).light)
by_maximum = {f"maximum, {sees} moments": values for sees, values in by_window.items()}
for place, values in enumerate(by_maximum.values(), start=3):
    below.plot([place] * 2, [100 * v for v in values], "D", color=hue("conv").light)
below.axhline(100 / 6, color="#8a8f98", ls="--", lw=1)
below.set(ylim=(0, 103), ylabel="test accuracy (%)", xticks=range(5))
below.set_xticklabels([*everything, "max, 9", "max, 25"])
show(
    figure,
    alt="Above, the motifs 16-8-4 and 4-8-16 as curves, with bars as long as the two windows. Below, the accuracies of "
    + "; ".join(f"{name} {100 * min(v):.0f} to {100 * max(v):.0f} %" for name, v in {**everything, **by_maximum}.items()),
    caption="Above: two of the six motifs, without noise. Below: test accuracy of both seeds; circles have a readout for every "
    "place, diamonds the maximum over places with units that see 9 or 25 moments. Dashed: chance.",
)

# %% [markdown]
# ## Text: the order matters
#
# A sentence is a signal of words: a channel for each word of the vocabulary, with a 1 where the word stands. With kernels of
# size 1 and the mean over places, a network computes
#
# $$f(x) = \frac{1}{L} \sum_i g(x_i)$$
#
# and a sum does not depend on the order of its terms. This is a *bag of words*. Whatever its weights, it gives the same answer
# for "dog bites man" and "man bites dog". A kernel of size 2 sees pairs of words. One kernel, written by hand, tells the two
# sentences apart.

# %%
words = ["dog", "man", "bites", "the", "key", "keys", "is", "are"]


def sentence(*said: str) -> torch.Tensor:
    """The words as a signal, (1, vocabulary, length)."""
    return nn.functional.one_hot(torch.tensor([words.index(word) for word in said]), len(words)).T[None].float()


dog, man = sentence("dog", "bites", "man"), sentence("man", "bites", "dog")
for _ in range(20):  # any weights
    bag = nn.Sequential(Conv1d(8, 16, 1, 3), nn.ReLU(), Conv1d(16, 16, 1, 3), nn.ReLU())
    assert torch.allclose(bag(dog).mean(2), bag(man).mean(2), atol=1e-6)

pairs = Conv1d(8, 1, kernel_size=2, input_size=3)
pairs.weight.zero_()
pairs.weight[0, words.index("dog"), 0] = pairs.weight[0, words.index("bites"), 1] = 1
pairs.bias.fill_(-1)
assert pairs(dog).relu().mean() > 0 == pairs(man).relu().mean()

# %% [markdown]
# ## Text: what belongs together need not be near
#
# "The key ... is", "the keys ... are": the verb goes with its subject, however many words stand between them. Take a network of
# convolutions with a mean and a linear readout. If no unit sees subject and verb at once, each adds its own part to the answer:
# $f = p(\text{subject}) + q(\text{verb})$, plus a constant. Number the subjects 1 for "key" and 2 for
# "keys", and the verbs 1 for "is" and 2 for "are". Then, whatever the weights,
#
# $$f_{11} + f_{22} - f_{12} - f_{21} = 0$$
#
# so $f$ cannot be positive for both right sentences and negative for both wrong ones. We measure the left side for random
# weights. It is zero exactly from the distance on at which the receptive field ends.


# %%
def interaction(network: nn.Module, distance: int) -> float:
    """The left side of the equation, as a norm over channels, with subject and verb so many words apart."""
    between = ["the"] * 20

    def f(subject: str, verb: str) -> torch.Tensor:
        return network(sentence(*between, subject, *["the"] * (distance - 1), verb, *between).double()).mean(2)

    return float((f("key", "is") + f("keys", "are") - f("key", "are") - f("keys", "is")).norm())


def stack(dilations: list[int]) -> nn.Module:
    """Convolutions of kernel size 3, with gaps between the words that a kernel touches."""
    layers: list[nn.Module] = []
    for index, gap in enumerate(dilations):
        layers += [nn.Conv1d(8 if index == 0 else 32, 32, 3, dilation=gap, padding=gap), nn.ReLU()]
    return nn.Sequential(*layers).double()


figure, axes = drawing(width=4.8, height=3)
reach: dict[str, int] = {}
for dilations, line in zip(([1], [1, 1], [1, 1, 1, 1], [1, 2, 4, 8]), ("o-", "s--", "D-.", "^:"), strict=True):
    sees, _ = receptive_field([3] * len(dilations), [1] * len(dilations), dilations)
    torch.manual_seed(0)
    network, distances = stack(dilations), range(1, 36)
    measured = [interaction(network, distance) for distance in distances]
    assert all((value > 1e-9) == (distance < sees) for value, distance in zip(measured, distances, strict=True))
    layers = f"{len(dilations)} layer{'s'[: len(dilations) - 1]}{', dilated' if max(dilations) > 1 else ''}: sees {sees}"
    reach[layers] = sees
    axes.semilogy(distances, [max(v, 1e-17) for v in measured], line, ms=3, lw=1, color=hue("conv").light, label=layers)
assert list(reach.values()) == [3, 5, 9, 31]
axes.set(xlabel="words from subject to verb", ylabel="interaction", ylim=(1e-18, 1))
axes.set_yticks([1e-15, 1e-10, 1e-5, 1], ["10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1"])
axes.minorticks_off()
axes.legend(fontsize=8)
show(
    figure,
    alt=f"The interaction of subject and verb over their distance. It falls to zero at {', '.join(map(str, reach.values()))} "
    "words, where the receptive field of each network ends.",
    caption="Whether networks with random weights can see that a verb does not go with its subject. Beyond the receptive field "
    "the interaction is zero but for rounding, and no training can change that. Each layer adds two words, and with dilation "
    "it adds twice as many as the one before.",
)

# %% [markdown]
# For sound both assumptions hold: a note is made of neighbouring moments, and it is the same note at any time. In text, sharing
# still makes sense, as a word means much the same in the third place and in the tenth. Locality does not hold, as what belongs
# together may be far apart, and a mean over single words loses their order.
#
# ## Questions to try
#
# 1. How many layers of kernel size 3, without dilation, does it take to see two words that are 100 words apart?
#    <details><summary>Answer</summary>The receptive field of n layers is 2n + 1 words, and it has to be 101 or more: 50 layers.
#    With dilations of 1, 2, 4, ... it takes 6, which see 2(1 + 2 + ... + 32) + 1 = 127 words.</details>
# 2. Train the last network on motifs in the middle of the signal, `data.source.place=centre`, and test it on motifs that are
#    shifted by 24 or 40 moments, `data.shift.test=[[-40],[-24],[24],[40]]`, and then by 22 or 38. What do you expect?
#    <details><summary>Answer</summary>Two strides of 2 leave shifts by multiples of 4 (lesson 7): it is right as often as
#    before after the first shifts, and wrong much more often after the others.</details>
# 3. Which of dense, local and convolution can be applied to a sentence that is longer than all it was trained on?
#    <details><summary>Answer</summary>The convolution, with a mean or a maximum over places: only its weights do not belong to
#    places.</details>
#
# Sources: Goodfellow, Bengio and Courville, Deep Learning, section 9.2 (sparse interactions, parameter sharing) and chapter 10
# (sequences); Zhang et al., Dive into Deep Learning, section 7.1 (from fully connected layers to convolutions) and section 16.3
# (sentiment analysis with convolutions over words); Yu and Koltun 2016, arXiv 1511.07122 (dilation).
