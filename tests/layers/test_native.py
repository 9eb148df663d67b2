"""The kernels in C: they are the layer, whatever its shape; and where they cannot be had, or not safely, Python's are used."""

import math
import os
import shutil
import stat
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import torch
from cases import arguments
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.layers import LocallyConnected2d, batched_gemm, native
from convexp.layers.algorithms import OPERATIONS
from convexp.layers.call_geometry import call_geometry
from convexp.layers.layout import batch_first, batch_last, new_image, new_weight
from convexp.layers.native import build, few_images, many_groups, many_images, operations

pytestmark = pytest.mark.skipif(native.library() is None, reason="no C compiler, or a processor without AVX2")
KERNELS = (few_images, many_images, many_groups)
FEW = st.integers(1, 17)
MANY = st.sampled_from([1, 2, 3, 5, 7, 16, 17, 24, 31, 32, 40, 48, 63, 64, 65, 80, 97, 112, 129])
ORDERS = (  # torch's own, the batch innermost, apart, and one value for all, as the gradient of a sum is
    lambda image: image,
    lambda image: batch_first(batch_last(image).contiguous()),
    lambda image: torch.stack([image, image], -1)[..., 0],
    lambda image: image.flatten()[0].expand(image.shape),
)


@st.composite
def calls(draw):
    """Kernels and operands of a call, images in several orders in memory, with few and with many channels."""
    kernels = draw(st.sampled_from(KERNELS))
    case = draw(arguments(modes=("zeros",), dims=None, grouped=True))
    batch, few = draw(MANY if kernels is many_images else FEW), kernels is many_groups  # channels of a group
    groups = draw(st.sampled_from([1, 2, 7, 8, 16, 17, 35])) if few else case["groups"]
    channels = groups * draw(st.sampled_from([1, 3] if few else [1, 3, 16, 21]))
    outputs = groups * draw(st.sampled_from([1, 2, 5] if few else [1, 2, 5, 8, 13]))
    window = [case[name] for name in ("stride", "padding", "dilation")]
    size = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(case["input_size"], case["kernel_size"], *window, strict=True)
    ]
    torch.manual_seed(draw(st.integers(0, 99)))
    x = torch.randn(batch, channels, *case["input_size"])
    weight = torch.randn(*size, outputs, channels // groups, *case["kernel_size"])
    like = draw(st.sampled_from([(outputs, *size), (outputs, *(1,) * len(size))]))
    bias = draw(st.sampled_from([None, torch.randn(like), torch.randn(like[::-1]).permute(*range(len(like))[::-1])]))
    grad = torch.randn(batch, outputs, *size)
    images = [draw(st.sampled_from(ORDERS))(each) for each in (x, grad)]
    return kernels, *images, weight, bias, call_geometry(x.shape, weight.shape, *window)


def near(made, wanted):
    assert (made - wanted).abs().max() <= 2e-6 * wanted.abs().max().clamp(min=1)


@settings(max_examples=60, deadline=None)
@given(calls())
def test_every_operation_agrees_with_batched_gemm(call):
    kernels, x, grad, weight, bias, g = call
    (wide_x, wide_grad, wide_weight), wide_bias = (each.double() for each in (x, grad, weight)), bias
    made = kernels.forward(x, weight, bias, g)
    near(made, batched_gemm.forward(wide_x, wide_weight, None if bias is None else wide_bias.double(), g))
    assert made.stride() == new_image(x, made.shape).stride()
    made = kernels.weight_gradient(grad, x, g)
    near(made, batched_gemm.weight_gradient(wide_grad, wide_x, g))
    assert made.stride() == new_weight(x, made.shape).stride()
    made = kernels.input_gradient(grad, weight, g)
    near(made, batched_gemm.input_gradient(wide_grad, wide_weight, g))
    assert made.stride() == new_image(x, made.shape).stride()


@settings(max_examples=60, deadline=None)
@given(calls())
def test_a_gradient_is_turned_for_both_that_follow_from_it(call):
    """Its values, as the output lies in memory, from which the kernels copy nothing; and with the same bits as without."""
    kernels, x, grad, weight, _, g = call
    turned = operations.ordered_output(grad, g)
    assert torch.equal(turned, grad)
    assert turned.stride() == new_image(grad, grad.shape).stride()
    assert operations.ordered_output(turned, g) is turned
    assert torch.equal(kernels.weight_gradient(turned, x, g), kernels.weight_gradient(grad, x, g))
    assert torch.equal(kernels.input_gradient(turned, weight, g), kernels.input_gradient(grad, weight, g))


HALF = st.sampled_from([torch.bfloat16, torch.float16])


@settings(max_examples=60, deadline=None)
@given(calls(), HALF)
def test_in_16_bits_results_are_those_of_float32_rounded_once(call, dtype):
    """Bit for bit those of the same kernels on the same operands in float32, and in the same places."""
    kernels, x, grad, weight, bias, g = call
    bias = None if bias is None else bias.to(dtype)
    x, grad, weight = (each.to(dtype) for each in (x, grad, weight))
    for operation, operands in (
        (kernels.forward, (x, weight, bias)),
        (kernels.weight_gradient, (grad, x)),
        (kernels.input_gradient, (grad, weight)),
    ):
        made = operation(*operands, g)
        wide = operation(*(None if each is None else each.float() for each in operands), g)
        assert (made.dtype, made.stride()) == (dtype, wide.stride())
        assert torch.equal(made, wide.to(dtype))


@settings(max_examples=60, deadline=None)
@given(calls(), st.sampled_from(list(operations.TYPES)), st.integers(1, 3))
def test_nothing_is_written_beyond_the_memory_to_work_in(call, dtype, threads):
    kernels, x, grad, weight, bias, g = call
    x, grad, weight = (each.to(dtype) for each in (x, grad, weight))
    guard, given = torch.full((4096,), 123.0), []

    def empty(values):
        given.append(torch.cat([torch.zeros(values), guard]))
        return given[-1][:values]

    operations.places(g)  # which makes tensors of its own
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "empty", empty)
        patch.setattr(torch, "get_num_threads", lambda: threads)
        patch.setattr(operations, "WORTH_A_THREAD", 1)
        kernels.forward(x, weight, bias, g)
        kernels.weight_gradient(grad, x, g)
        kernels.input_gradient(grad, weight, g)
    assert len(given) == 3
    assert all(torch.equal(each[-len(guard) :], guard) for each in given)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("outputs", [1, 5, 70])
@pytest.mark.parametrize(("kernels", "channels"), [(few_images, 3), (many_images, 3), (many_images, 17), (many_groups, 3)])
def test_a_gradient_that_is_too_large_for_the_caches_is_the_same(kernels, channels, outputs, dtype):
    """Lines of memory are written whole, where those of a unit do not begin with one, and by several threads."""
    side = math.isqrt(400_000 // (channels * 9 * outputs)) + 1
    x, grad = torch.randn(2, channels, side, side, dtype=dtype), torch.randn(2, outputs, side, side, dtype=dtype)
    g = call_geometry(x.shape, (side, side, outputs, channels, 3, 3), (1, 1), (1, 1), (1, 1))
    wanted = batched_gemm.weight_gradient(grad.double(), x.double(), g)
    before = torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        try:
            made = kernels.weight_gradient(grad, x, g)
        finally:
            torch.set_num_threads(before)
        assert (made - wanted).abs().max() <= max(2e-6, torch.finfo(dtype).eps / 2) * wanted.abs().max()


@pytest.mark.parametrize("vectors", [operations.Vectors.MANY_IMAGES, operations.Vectors.CHANNELS])
def test_the_vectors_of_a_weight_gradient_are_of_images_or_of_channels(vectors, monkeypatch):
    used, batch = [], 64 if vectors == operations.Vectors.MANY_IMAGES else 63
    original = operations._call
    monkeypatch.setattr(operations, "_call", lambda name, kind, *rest: used.append(kind) or original(name, kind, *rest))
    x, grad = torch.randn(batch, 19, 5, 4), torch.randn(batch, 6, 5, 4)
    g = call_geometry(x.shape, (5, 4, 6, 19, 1, 1), (1, 1), (0, 0), (1, 1))
    near(many_images.weight_gradient(grad, x, g), batched_gemm.weight_gradient(grad.double(), x.double(), g))
    assert used == [vectors]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_every_value_of_16_bits_is_read_and_rounded_as_by_torch(dtype):
    """All 65536 of them through a layer that is the identity; and float32 values between them, as sums of two."""
    every = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16).view(dtype)
    values = torch.cat([every, torch.zeros(5, dtype=dtype)])  # not a whole number of vectors
    g = call_geometry((1, 1, len(values)), (len(values), 1, 1, 1), (1,), (0,), (1,))
    one = torch.ones(g.weight_shape, dtype=dtype)
    for kernels in KERNELS:
        found = kernels.forward(values.view(1, 1, -1), one, None, g).flatten()
        assert torch.equal(found.isnan(), values.isnan())
        assert torch.equal(found[~values.isnan()], values[~values.isnan()])
        other = values.roll(1)
        found = kernels.forward(values.view(1, 1, -1), one, other.view(1, -1), g).flatten()
        wanted = (values.float() + other.float()).to(dtype)
        assert torch.equal(found.isnan(), wanted.isnan())
        assert torch.equal(found[~wanted.isnan()], wanted[~wanted.isnan()])


@settings(max_examples=20, deadline=None)
@given(calls(), st.one_of(st.just(torch.float32), HALF), st.integers(2, 5))
def test_the_bits_do_not_depend_on_the_number_of_threads(call, dtype, count):
    kernels, *tensors, g = call
    x, grad, weight, bias = (None if each is None else each.to(dtype) for each in tensors)

    def all_three():
        return kernels.forward(x, weight, bias, g), kernels.weight_gradient(grad, x, g), kernels.input_gradient(grad, weight, g)

    before = torch.get_num_threads()
    alone = all_three()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "WORTH_A_THREAD", 1)
        torch.set_num_threads(count)
        try:
            together = all_three()
        finally:
            torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("batch", [4, 16])
def test_what_is_no_number_stays_none(batch, dtype):
    layer = LocallyConnected2d(2, 3, 3, (5, 5), padding=1, dtype=dtype)
    x = torch.randn(batch, 2, 5, 5, dtype=dtype)
    x[3, 1, 2, 2] = float("nan")
    with torch.no_grad():
        wrong = layer(x).isnan()
    assert wrong[3, :, 1:4, 1:4].all()
    assert wrong.sum() == 3 * 9


def test_windows_of_nothing_but_infinite_weights_stay_infinite():
    """Vectors reach beyond the inputs of a unit, and what lies there is not to be multiplied by zeros."""
    weight = torch.ones(1, 2, 1, 1, 1, 3)  # two units of three inputs, which lie side by side
    weight[0, 1] = float("inf")
    g = call_geometry((2, 1, 1, 4), weight.shape, (1, 1), (0, 0), (1, 1))
    y = few_images.forward(torch.ones(2, 1, 1, 4), weight, None, g)
    assert y[..., 0].flatten().tolist() == [3.0, 3.0]
    assert y[..., 1].isinf().all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex64, torch.int16])
def test_operands_of_other_types_are_not_taken(dtype):
    assert all(native.takes(torch.zeros(1, dtype=each)) for each in (torch.float32, torch.bfloat16, torch.float16))
    assert not native.takes(torch.zeros(1, dtype=dtype))


@pytest.mark.parametrize("batch", [1, 16])
def test_a_layer_uses_them(batch, monkeypatch):
    used = []
    for module, name in product(KERNELS, OPERATIONS):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, name=name, original=original: used.append(name) or original(*a))
    layer, x = LocallyConnected2d(16, 32, 3, (28, 28)), torch.randn(batch, 16, 28, 28, requires_grad=True)
    layer(x).sum().backward()
    assert used == ["forward", "input_gradient", "weight_gradient"]


THREADS = """
import torch
from pathlib import Path
from convexp.layers import LocallyConnected2d
from convexp.layers.native import operations

def count():
    return len(list(Path("/proc/self/task").iterdir()))

torch.set_num_threads(3)
layer, x = LocallyConnected2d(2, 3, 3, (5, 5)), torch.randn(16, 2, 5, 5, requires_grad=True)
before = count()
torch.zeros(1_000_000).add_(1)
assert count() == before + 2
operations.WORTH_A_THREAD = 1
layer(x).sum().backward()
assert count() == before + 2
"""


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_the_threads_are_those_of_torch():
    subprocess.run([sys.executable, "-c", THREADS], check=True)


SMALLER = """
from convexp.layers.native import build
build.FLAGS += ("-mavx2", "-mfma", "-mf16c", "-mno-avx512f")
assert build.library() is not None
import pytest, sys
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "batched_gemm or 16_bits or infinite", sys.argv[1]]))
"""


@pytest.mark.e2e
@pytest.mark.skipif("avx512f" not in build._processor(), reason="the kernels are compiled for AVX2 in the other tests")
def test_on_a_processor_without_avx512_they_are_the_same_layer(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", SMALLER, __file__], check=True, env=environment)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a library that is looked for anew, and compiled in a second as nothing is computed with it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(build, "FLAGS", ("-O0", *build.FLAGS[1:]))
    return tmp_path / "convexp" / "native"


def look():
    return build.library.__wrapped__()


@pytest.mark.e2e
def test_it_is_compiled_once(cache, monkeypatch):
    assert look() is not None
    (file,) = cache.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    before = file.stat().st_mtime_ns
    monkeypatch.setattr(build, "_compile", None)
    assert look() is not None
    assert file.stat().st_mtime_ns == before


@pytest.mark.e2e
def test_users_whose_files_their_group_may_write_have_it_too(cache):
    before = os.umask(0o002)
    try:
        assert look() is not None
    finally:
        os.umask(before)


@pytest.mark.e2e
def test_of_another_processor_or_compiler_it_is_compiled_anew(cache, monkeypatch):
    look()
    monkeypatch.setattr(build, "_processor", lambda: "flags : fpu")
    look()
    monkeypatch.setenv("CC", shutil.which("gcc") + "-of-another-name")  # not there: the system's own
    look()
    assert len(list(cache.iterdir())) == 2


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["none", "fails", "forbidden", "read-only", "no home", "source"])
def test_without_a_compiler_that_can_do_it_there_is_no_library(how, cache, monkeypatch, tmp_path):
    if how == "none":
        monkeypatch.setenv("PATH", "")
    elif how == "fails":
        monkeypatch.setenv("CC", shutil.which("false"))
    elif how == "forbidden":
        monkeypatch.setenv("CONVEXP_NATIVE", "0")
    elif how == "read-only":
        monkeypatch.setenv("XDG_CACHE_HOME", "/proc/self")
    elif how == "no home":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "home", classmethod(lambda _: Path("~nobody-of-this-name").expanduser()))
    else:
        broken = tmp_path / "kernels.c"
        broken.write_text("#error no")
        monkeypatch.setattr(build, "SOURCE", broken)
    assert look() is None
    assert not cache.exists() or list(cache.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_others_may_have_written_is_not_loaded(what, cache):
    look()
    path = cache if what == "folder" else next(cache.iterdir())
    path.chmod(0o777)
    assert look() is None


@pytest.mark.e2e
def test_processes_that_compile_side_by_side_do_not_disturb_each_other(cache):
    flags = f"from convexp.layers.native import build; build.FLAGS = {build.FLAGS}"
    program = f"{flags}; print(build.library() is not None)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache.parent.parent)}
    started = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0] for process in started] == ["True\n"] * 3
    assert [Path(file).suffix for file in cache.iterdir()] == [".so"]
