# %% [markdown]
# # 5. How it is computed
#
# At the end you will know three ways to compute a convolution, as a matrix product of patches, on strided views and by Fourier
# transforms, what each of them costs, and that the backward pass of a cross-correlation is a convolution, and the other way
# round.
#
# What is to be computed is the cross-correlation of lesson 3,
#
# $$y_{i,j} = \sum_{a,b} v_{a,b}\, x_{i+a,j+b}$$
#
# where the kernel $v$ fits into the image $x$. Taken literally, this is four loops. The definition does not say in which order
# the sums are to be worked out, and that is where the three ways differ.

# %%
import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry.fourier import FOURIER_COST, fourier_flops, transform_flops
from convexp.layers import Conv2d, GlobalConv2d, as_dense, convolve, correlate, cost, im2col, with_holes
from convexp.pictures.palette import hue
from convexp.teaching import drawing, numbers_in_cells, show, step_through

# %% [markdown]
# ## Patches in columns
#
# Write every patch that the kernel meets as a column of a matrix (*im2col*, also called *unfold*), and every kernel as a row of
# another. Then the convolution is one matrix product, the operation for which processors and libraries are best prepared. With
# $C$ channels, $K$ kernels and $L$ locations it has the shapes
#
# $$(K,\; C k_1 k_2) \cdot (C k_1 k_2,\; L) = (K,\; L)$$

# %%
torch.manual_seed(0)
layer = Conv2d(3, 8, kernel_size=3, input_size=(10, 12), bias=False)
x = torch.randn(2, 3, 10, 12)
columns = im2col(x, kernel_size=(3, 3), stride=(1, 1), dilation=(1, 1))
assert columns.shape == (2, 3 * 3 * 3, 8 * 10)
product = layer.weight.flatten(1) @ columns  # (8, 27) times (27, 80), for both images
assert torch.allclose(product.unflatten(2, (8, 10)), layer(x), atol=1e-5)
assert torch.equal(columns, F.unfold(x, 3))  # torch has the same operation

image = torch.tensor([[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0], [1, 1, 0, 2]])
kernel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
patches = im2col(image[None, None], (3, 3), (1, 1), (1, 1))[0]  # (9, 4)
result = kernel.flatten() @ patches
assert torch.equal(result.reshape(2, 2), correlate(image, kernel))

# %%
figures = []
for place in range(4):
    row, column = divmod(place, 2)
    figure, axes = drawing(1, 3, width=4.8, height=3.6, width_ratios=(1.9, 0.5, 1.4))
    window = [(row + a, column + b) for a in range(3) for b in range(3)]
    numbers_in_cells(axes[0], image, title="image", marked=window)
    numbers_in_cells(axes[1], kernel.flatten()[:, None], title="kernel", colours="RdBu_r")
    numbers_in_cells(axes[2], patches, title="patches", marked=[(a, place) for a in range(9)])
    for each in axes[1:]:
        each.set_ylim(10.4, -0.55)  # room for the results
    axes[1].text(0, 10, "sum:", ha="center", va="center")
    for done in range(place + 1):
        weight = "bold" if done == place else "normal"
        axes[2].text(done, 10, f"{result[done]:g}", ha="center", va="center", weight=weight)
    figures.append(figure)
step_through(
    figures,
    ["1", "2", "3", "4"],
    alt="An image of 4x4 pixels with a window of 3x3, a kernel as a column of nine numbers, and the four patches as columns of "
    "a matrix with the results below.",
    caption="Each of the four windows of the image is a column of the matrix. Multiplied by the numbers of the kernel and "
    f"summed, the columns give {', '.join(f'{r:g}' for r in result)}, the four pixels of the output.",
)

# %% [markdown]
# ## Strided views
#
# The matrix of patches holds nearly every pixel $k_1 k_2$ times. But a tensor is a stretch of memory together with a rule, its
# *strides*: how many numbers to go on in memory for one step along each dimension. If one step along rows of windows and one
# step along rows within a window go on by the same number, then overlapping windows share their numbers, and nothing is copied.

# %%
windows = image.as_strided(size=(2, 2, 3, 3), stride=(4, 1, 4, 1))  # (H', W', k1, k2)
assert image.stride() == (4, 1)  # a row of the image has 4 numbers
assert torch.equal(windows.reshape(4, 9).T, patches)
assert windows.untyped_storage().data_ptr() == image.untyped_storage().data_ptr()  # the same memory
assert windows.numel() == 36
assert windows.untyped_storage().nbytes() == 16 * 4  # still 16 numbers of four bytes
assert torch.equal(image.unfold(0, 3, 1).unfold(1, 3, 1), windows)  # the safe way to write it
# The same sum; tensordot itself makes the matrix of patches first.
assert torch.equal(torch.tensordot(windows, kernel, 2), correlate(image, kernel))

image[1, 1] += 5  # one pixel, seen from all four windows
assert torch.equal(windows[..., 1, 1][0, 0], image[1, 1])
assert torch.equal(windows[1, 1, 0, 0], image[1, 1])
image[1, 1] -= 5
matrix = windows.reshape(4, 9)  # no strides describe this matrix: making it copies
assert matrix.untyped_storage().nbytes() == 36 * 4

# %% [markdown]
# ## Fourier transforms
#
# The Fourier transform $\mathcal{F}$ turns a convolution on a circle of $n$ pixels into a product at each frequency:
#
# $$\mathcal{F}(v * x) = \mathcal{F}(v) \cdot \mathcal{F}(x)$$
#
# for a cross-correlation, $\mathcal{F}(v)$ is replaced by its complex conjugate. What would run over the end of the circle
# comes round to its beginning. To get a convolution that is not circular, put enough zeros around: on $n = n_x + n_v - 1$
# pixels nothing comes round.


# %%
def by_fourier(x: Tensor, v: Tensor, n: int, correlation: bool = False) -> Tensor:
    """The circular convolution, or cross-correlation, of two square images on ``n`` by ``n`` pixels."""
    spectrum = torch.fft.rfft2(v, s=(n, n))
    return torch.fft.irfft2((spectrum.conj() if correlation else spectrum) * torch.fft.rfft2(x, s=(n, n)), s=(n, n))


image, kernel = image.double(), kernel.double()
full = convolve(image, kernel)  # (6, 6)
assert torch.allclose(by_fourier(image, kernel, n=6), full)
assert torch.allclose(by_fourier(image, kernel, n=4, correlation=True)[:2, :2], correlate(image, kernel))
# On 4x4 pixels, the last two rows and columns come round to the first two.
wrapped = full[:4, :4].clone()
wrapped[:2] += full[4:, :4]
wrapped[:, :2] += full[:4, 4:]
wrapped[:2, :2] += full[4:, 4:]
assert torch.allclose(by_fourier(image, kernel, n=4), wrapped)

# A kernel as large as the image, on a circular border.
everywhere = GlobalConv2d(1, 2, kernel_size=3, input_size=32, padding="same", padding_mode="circular")
assert everywhere.weight.shape == (2, 1, 32, 32)
photo = torch.randn(4, 1, 32, 32)
assert everywhere.by_fourier  # the layer itself has found that transforms are cheaper here
assert torch.allclose(everywhere(photo), as_dense(everywhere)(photo), atol=1e-4)

# %% [markdown]
# ## Their costs
#
# The direct sum, the product of patches and the strided view all do the same multiplications: 2 FLOPs for each output pixel and
# each number of the kernel, $2 L k^2$ in all for one channel. They differ in memory, as patches take $k^2$ times the bytes of
# the image and views take none, as long as the sum is done on the view itself. Transforms take about $2.5\, n^2 \log_2 n^2$
# FLOPs each, however large the kernel is, and the spectra of all kernels take about as much memory as if the kernels were as
# large as the image.

# %%
N = 256
sizes = range(1, 64, 2)


def direct_flops(k: int, channels: int) -> int:
    """FLOPs of a convolution, by the definition, as a product of patches or on views."""
    return cost(Conv2d(channels, channels, k, input_size=N, bias=False, padding="same", device="meta")).forward_flops


def transform_way(k: int, channels: int) -> int:
    """FLOPs by Fourier transforms on N + k - 1 pixels: of image, kernels and output, and the products in between."""
    size = (N + k - 1, N + k - 1)
    return fourier_flops(channels, channels, size) + channels**2 * transform_flops(size)


def crossing(factor: float, channels: int) -> int:
    """The smallest odd kernel for which transforms are cheaper, if a FLOP of theirs costs ``factor`` times as much."""
    return next(k for k in sizes if factor * transform_way(k, channels) < direct_flops(k, channels))


for k in sizes:
    assert direct_flops(k, channels=1) == 2 * N**2 * k**2
cheaper = {(channels, factor): crossing(factor, channels) for channels in (1, 16) for factor in (1, FOURIER_COST)}
assert cheaper == {(1, 1): 9, (1, FOURIER_COST): 19, (16, 1): 7, (16, FOURIER_COST): 13}

photo = torch.empty(1, 16, N, N, device="meta")  # has a size, but no memory
for k in (3, 11):
    copied = im2col(F.pad(photo, [k // 2] * 4), (k, k), (1, 1), (1, 1))
    assert copied.nbytes == k**2 * photo.nbytes
    print(f"{k}x{k}, 16 to 16 channels: {direct_flops(k, 16):.2g} FLOPs, by transforms {transform_way(k, 16):.2g} FLOPs;")
    spectra = torch.fft.rfft2(torch.empty(16, 16, k, k, device="meta"), s=(N + k - 1, N + k - 1))  # of all 256 kernels
    assert spectra.nbytes > 60e6 > 100 * (256 * 4 * k**2)  # far more than the kernels themselves
    megabytes = [f"{tensor.nbytes / 1e6:.0f} MB" for tensor in (photo, copied, spectra)]
    print("   image {}, its patches {}, spectra of the kernels {}".format(*megabytes))

# %%
figure, axes = drawing(width=4.8, height=3.2)
axes.plot(sizes, [direct_flops(k, 16) / 1e9 for k in sizes], color=hue("conv").light, label="by the definition")
for factor, style in ((1, "-"), (FOURIER_COST, "--")):
    label = "by transforms" + (f", counted {factor} times" if factor > 1 else "")
    flops = [factor * transform_way(k, 16) / 1e9 for k in sizes]
    axes.plot(sizes, flops, color=hue("global_conv").light, linestyle=style, label=label)
axes.set(xlabel="side of the kernel (pixels)", ylabel="billions of FLOPs for one image", yscale="log", ylim=(0.01, 300))
axes.yaxis.set_major_formatter("{x:g}")
axes.legend(loc="lower right")
show(
    figure,
    alt="FLOPs against the side of the kernel, from 1 to 63: by the definition they grow with its square, by transforms "
    "hardly; the lines cross at a side of 7, or of 13 if the FLOPs of transforms count five times.",
    caption=f"16 to 16 channels on {N}x{N} pixels. By the definition the FLOPs grow with the square of the kernel's side; by "
    "transforms they hardly depend on it. A FLOP of a transform takes about as long as five of a large matrix product, so "
    "transforms pay from a side of about 13 on, not from 7 on.",
)

# %% [markdown]
# The factor of five was measured on one machine (`scripts/bench_layers.py --global-conv`), and the crossing moves with it; the
# FLOPs hold everywhere. Most kernels in practice have 3 to 7 pixels on a side, and are computed by the definition, in one of
# its two forms or by special routines for small kernels. `GlobalConv2d`, whose kernel is as large as the image, counts both
# ways and takes the cheaper one.
#
# ## The backward pass
#
# Let $g$ be the gradient of the loss in the output $y$. The pixel $x_{k,l}$ has gone into $y_{i,j}$ with the weight
# $v_{k-i,l-j}$, so for the cross-correlation
#
# $$\frac{\partial L}{\partial x_{k,l}} = \sum_{i,j} v_{k-i,l-j}\, g_{i,j}$$
#
# $$\frac{\partial L}{\partial v_{a,b}} = \sum_{i,j} g_{i,j}\, x_{i+a,j+b}$$
#
# The first is a convolution of $g$ with $v$, in full: minus signs instead of plus. The second is a cross-correlation of the
# image with $g$ as its kernel. If the layer computes a true convolution instead, the gradient in the image is a
# cross-correlation.

# %%
x = torch.randn(7, 6, dtype=torch.float64, requires_grad=True)
v = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)

y = correlate(x, v)
g = torch.randn_like(y)
in_x, in_v = torch.autograd.grad(y, (x, v), g)
assert torch.allclose(in_x, convolve(g, v))
assert torch.allclose(in_v, correlate(x, g))

y = convolve(x, v)
g = torch.randn_like(y)
in_x, in_v = torch.autograd.grad(y, (x, v), g)
assert torch.allclose(in_x, correlate(g, v))
assert torch.allclose(in_v, correlate(g, x))

for operation in (correlate, convolve):  # autograd agrees with finite differences
    assert torch.autograd.gradcheck(operation, (x, v))

# %% [markdown]
# With channels the same holds for each pair of an input and an output channel, summed over the outputs. In terms of matrices it
# is shorter still: if the forward pass is $Y = V X$ with patches in the columns of $X$, then the gradient in $X$ is $V^T G$,
# and each of its columns is added back to where its patch was (*col2im*). This transposed operation is what libraries call a
# transposed convolution.

# %%
layer = Conv2d(3, 4, kernel_size=3, input_size=6, bias=False, dtype=torch.float64)
x = torch.randn(1, 3, 6, 6, dtype=torch.float64, requires_grad=True)
y = layer(x)
g = torch.randn_like(y)
(in_x,) = torch.autograd.grad(y, x, g)
back = layer.weight.flatten(1).T @ g.flatten(2)  # (27, 4) times (4, 16)
assert torch.allclose(F.fold(back, output_size=(6, 6), kernel_size=3), in_x)
assert torch.allclose(F.conv_transpose2d(g, layer.weight), in_x)
by_pairs = [sum(convolve(g[0, o], layer.weight[o, c]) for o in range(4)) for c in range(3)]
assert torch.allclose(torch.stack(by_pairs), in_x[0])
# Two gradients, each as much work as the forward pass.
assert cost(layer).backward_flops == 2 * cost(layer).forward_flops

# %% [markdown]
# ## Questions
#
# 1. A layer of 3x3 kernels is applied to an image of one megapixel with 64 channels, in numbers of four bytes. How much memory
#    do the patches take?
#
#    <details><summary>Answer</summary>The image takes 256 MB, and the patches nine times as much, 2.3 GB.</details>
#
# 2. With a stride of 2, what takes the place of the convolution in the backward pass?
#
#    <details><summary>Answer</summary>The same convolution, of the gradient with a zero put between neighbouring pixels. The
#    last cell below checks it.</details>
#
# 3. Measure the time of `F.conv2d` and of `by_fourier` on a 512x512 image for kernels of 3 to 63 pixels. Where do your lines
#    cross?
#
#    <details><summary>Hint</summary>The time of `F.conv2d` grows with the square of the side, that of `by_fourier` hardly. The
#    FLOPs of one channel, counted above for 256x256 pixels, cross at 9, or at 19 if those of transforms count five times.
#    Times depend on the machine, and your lines may cross elsewhere.</details>

# %%
x = torch.randn(7, 7, dtype=torch.float64, requires_grad=True)
v = torch.randn(3, 3, dtype=torch.float64)
y = correlate(x, v)[::2, ::2]  # a stride of 2
g = torch.randn_like(y)
(in_x,) = torch.autograd.grad(y, x, g)
assert torch.allclose(in_x, convolve(with_holes(g, (2, 2)), v))

megapixel = torch.empty(1, 64, 1000, 1000, device="meta")
assert megapixel.nbytes == 256e6
assert im2col(F.pad(megapixel, [1] * 4), (3, 3), (1, 1), (1, 1)).nbytes == 9 * 256e6

# %% [markdown]
# ## Sources
#
# Goodfellow, Bengio, Courville, *Deep Learning*, sections 9.5 (gradients) and 9.8 (efficient algorithms). Zhang, Lipton, Li,
# Smola, *Dive into Deep Learning*, section "Convolutions for Images". Dumoulin and Visin 2016, arXiv 1603.07285, chapter 4.
# Chellapilla, Puri, Simard 2006, *High Performance Convolutional Neural Networks for Document Processing* (patches in columns).
# Mathieu, Henaff, LeCun 2013, *Fast Training of Convolutional Networks through FFTs*, arXiv 1312.5851. Frigo and Johnson 2005,
# *The Design and Implementation of FFTW3* (FLOPs of transforms).
