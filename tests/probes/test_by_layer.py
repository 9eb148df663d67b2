"""invariance_by_layer against brute force, and against the package tmeasures where it is installed."""

import math

import pytest
import torch
from nets import make, textures
from torch import Tensor

from convexp.data.canvas import zero_fill
from convexp.models import Network
from convexp.probes import Sample
from convexp.probes.behaviour.controls import other_class_indices
from convexp.probes.behaviour.invariance_by_layer import InvarianceByLayer
from convexp.probes.behaviour.layer_invariance import FIRING
from convexp.probes.behaviour.shift_grid import ShiftGrid


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def activations(network: Network, sample: Sample, reach: int) -> dict[str, Tensor]:
    """By layer (S, N, units)."""
    found: dict[str, list[Tensor]] = {}
    for shift in ShiftGrid(reach, 2).shifts:
        for name, value in network.representations(zero_fill(sample.images, shift)).items():
            found.setdefault(name, []).append(value.flatten(1).double())
    return {name: torch.stack(values) for name, values in found.items()}


def normalised_variance(values: Tensor) -> Tensor:
    above, below = values.std(0).mean(0), values.std(1).mean(0)  # over shifts, over images
    return torch.where((above == 0) & (below == 0), 1, above / below)


@pytest.fixture(params=[0, 1])
def case(request):
    network, sample = make(seed=request.param), textures(300, seed=request.param)
    return network, sample, InvarianceByLayer(max_shift=1, max_images=300, top=0.3).measure(network, sample)


def test_cosine(case):
    network, sample, found = case
    different, correct = other_class_indices(sample.labels), network(sample.images).argmax(1) == sample.labels
    for name, values in activations(network, sample, 1).items():
        base = values[4]
        same = torch.stack([torch.cosine_similarity(v, base) for i, v in enumerate(values) if i != 4]).mean(0)
        foreign = torch.stack([torch.cosine_similarity(v[different], base) for i, v in enumerate(values) if i != 4])
        assert found.numbers[f"{name}/cosine"] == pytest.approx(float(same.mean()), abs=1e-6)
        assert found.numbers[f"{name}/cosine_correct"] == pytest.approx(float(same[correct].mean()), abs=1e-6)
        assert found.numbers[f"{name}/cosine_control"] == pytest.approx(float(foreign.mean()), abs=1e-6)


def test_normalised_variance(case):
    network, sample, found = case
    for name, values in activations(network, sample, 1).items():
        ratio = normalised_variance(values)
        finite = ratio.isfinite()
        assert found.numbers[f"{name}/variance"] == pytest.approx(float(ratio[finite].mean()), rel=1e-4)
        assert found.maps["infinite"][name] == pytest.approx(float((~finite).double().mean()))


def test_goodfellows_score(case):
    network, sample, found = case
    k = round(FIRING * len(sample))
    for name, values in activations(network, sample, 1).items():
        scores: list[float] = []
        for unit in range(values.shape[2]):
            best = -math.inf
            for sign in (1, -1):
                h = sign * values[:, :, unit].float()
                fires = h > h[4].sort(descending=True).values[k]
                if fires[4].any():
                    score = fires[:, fires[4]].double().mean() / fires[4].double().mean()
                    best = max(best, float(score))
            if best > -math.inf:
                scores.append(best)
        scores.sort(reverse=True)
        top = scores[: max(1, round(0.3 * len(scores)))]
        assert found.numbers[f"{name}/firing"] == pytest.approx(sum(top) / len(top), rel=1e-5)


def test_a_constant_layer_is_as_invariant_as_it_varies_with_images():
    """0/0 is 1; and two representations of nothing are alike."""
    network = make()
    for parameter in network.stages[0].parameters():
        parameter.zero_()
    found = InvarianceByLayer(max_shift=1, max_images=30).measure(network, textures()).numbers
    assert found["stages.0/variance"] == 1
    assert found["stages.0/cosine"] == 1
    assert "stages.0/firing" not in found


@pytest.mark.filterwarnings("ignore")  # its own
def test_agrees_with_tmeasures():
    """The same numbers as somebody else's code: normalised variance of every unit (pip install -e '.[tmeasures]')."""
    pytest.importorskip("tmeasures", reason="tmeasures is not installed")
    from tmeasures.pytorch import NormalizedVarianceInvariance, PyTorchMeasureOptions

    network, sample = make(seed=3), textures(60, seed=3)

    class Shift:
        def __init__(self, shift):
            self.shift = shift

        def __call__(self, image):
            return zero_fill(image[None], self.shift)[0]

    class Parts(torch.nn.Module):
        def activation_names(self):
            return list(network.representations(sample.images[:1]))

        def forward_activations(self, images):
            return [value.flatten(1) for value in network.representations(images).values()]

    shifts = [Shift(shift) for shift in ShiftGrid(2, 2).shifts]
    options = PyTorchMeasureOptions(batch_size=32, verbose=False)
    theirs = NormalizedVarianceInvariance().eval(sample.images, shifts, Parts(), options)
    ours = InvarianceByLayer(max_shift=2, max_images=60).measure(network, sample)
    for name, ratio in zip(theirs.layer_names, theirs.layers, strict=True):
        finite = ratio.isfinite()
        assert ours.numbers[f"{name}/variance"] == pytest.approx(float(ratio[finite].mean()), rel=1e-6)
        assert ours.maps["infinite"][name] == float((~finite).double().mean())
