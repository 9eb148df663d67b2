# %% [markdown]
# # 1. From dense to conv in three steps
#
# A placeholder of the frame; the lesson replaces it. Formula: $h_{i,j} = \sum_{k,l} W_{i,j,k,l}\, x_{k,l}$.

# %%
import torch

from convexp.layers import Conv2d, as_dense
from convexp.teaching import drawing, show, step_through

conv = Conv2d(1, 1, kernel_size=3, input_size=5, padding="same")
matrix = as_dense(conv).weight.detach()  # (25, 25)
assert torch.count_nonzero(matrix) < matrix.numel()

figure, axes = drawing(width=4.8, height=3)
axes.imshow(matrix, cmap="RdBu_r")
axes.set(xlabel="pixel", ylabel="unit")
show(figure, alt="A banded matrix of 25 by 25 weights.", caption="The matrix of a convolution on a 5x5 image.")

# %%
figures = []
for place in range(3):
    figure, axes = drawing(width=4.8, height=2)
    axes.bar(range(5), [float(i == place) for i in range(5)])
    figures.append(figure)
step_through(figures, ["1", "2", "3"], alt="A bar that moves.", caption="Step through.")
