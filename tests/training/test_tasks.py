"""Losses of tasks: their formulas, and that targets move as images do."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from convexp.config.schema.task import METRICS, TRAINING_METRICS
from convexp.data.view import View
from convexp.geometry.placement import Placement
from convexp.training.tasks.classification import Classification
from convexp.training.tasks.details import measure_details
from convexp.training.tasks.imitation import Imitation
from convexp.training.tasks.localisation import Localisation, cell_shares, centres, peak, visible

SEEDS = st.integers(0, 2**31)


def drawn(seed, n=7, classes=5):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, classes, generator=generator) * 4, torch.randint(classes, (n,), generator=generator)


def batch(target, size=(4, 4)):
    return torch.zeros(len(target), 1, *size), target


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_without_smoothing_and_with_equal_weights_the_loss_is_the_plain_one_to_the_last_bit(seed):
    logits, labels = drawn(seed)
    plain = F.cross_entropy(logits, labels)
    assert torch.equal(Classification(nn.Identity()).loss(logits, batch(labels)), plain)
    weighted = Classification(nn.Identity(), class_weights=[1] * 5)
    assert torch.equal(weighted.loss(logits, batch(labels)), plain)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(0, 0.9), st.lists(st.floats(0.1, 3), min_size=5, max_size=5))
def test_the_loss_follows_its_formula(seed, smoothing, weights):
    logits, labels = drawn(seed)
    log = logits.double().log_softmax(1)
    smoothed = F.one_hot(labels, 5) * (1 - smoothing) + smoothing / 5
    w = torch.tensor(weights).double()
    expected = -(w * smoothed * log).sum() / w[labels].sum()
    task = Classification(nn.Identity(), label_smoothing=smoothing, class_weights=weights)
    assert float(task.loss(logits, batch(labels))) == pytest.approx(float(expected), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.lists(st.floats(0.1, 3), min_size=5, max_size=5), st.floats(0.1, 10), st.floats(0, 0.9))
def test_the_scale_of_the_weights_of_classes_does_not_matter_for_labels_and_for_mixtures(seed, weights, scale, smoothing):
    logits, labels = drawn(seed)
    shares = (F.one_hot(labels, 5) * 0.7 + F.one_hot(labels.flip(0), 5) * 0.3).float()
    for target in (labels, F.one_hot(labels, 5).float(), shares):
        tasks = [Classification(nn.Identity(), None, None, smoothing, [w * by for w in weights]) for by in (1, scale)]
        one, other = (float(task.loss(logits, batch(target))) for task in tasks)
        assert one == pytest.approx(other, rel=1e-4)
        if target is not shares:
            assert one == pytest.approx(float(tasks[0].loss(logits, batch(labels))), rel=1e-5)


def test_a_batch_without_weight_has_no_loss():
    task, (logits, _) = Classification(nn.Identity(), class_weights=[1, 0, 0, 0, 0]), drawn(0)
    logits.requires_grad_()
    loss = task.loss(logits, batch(torch.ones(len(logits), dtype=torch.long)))
    loss.backward()
    assert float(loss.detach()) == 0
    assert not logits.grad.any()


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_mixture_with_one_class_is_that_class(seed):
    logits, labels = drawn(seed)
    task, mixture = Classification(nn.Identity()), F.one_hot(labels, 5).float()
    assert float(task.loss(logits, batch(mixture))) == pytest.approx(float(task.loss(logits, batch(labels))), rel=1e-5)
    hits = [task.measure_training(logits, batch(target))["acc"] for target in (labels, mixture)]
    assert torch.equal(*hits)


@pytest.mark.parametrize("wrong", [{"label_smoothing": 1.0}, {"label_smoothing": -0.1}, {"class_weights": [0, 0]}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Classification(nn.Identity(), **wrong)


def test_the_configuration_knows_the_metrics_of_convexps_tasks():
    for kind in (Classification, Localisation, Imitation):
        name = f"{kind.__module__}.{kind.__qualname__}"
        assert METRICS[name] == kind.metrics
        further = kind.measure_training(kind(nn.Identity()), *(lambda x: (x[0], batch(x[1])))(drawn(0)))
        assert TRAINING_METRICS[name] == ("loss", *further)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["zero_fill", "circular", "crop"]))
def test_boxes_move_as_the_images_do(data, protocol):
    """The box of each image is where its only bright pixels are, after position and shift; -1 if some are cut off."""
    side, size, canvas = 2, 6, 9
    window = 7 if protocol == "crop" else canvas
    shift = st.integers(-1, 1) if protocol == "crop" else st.integers(-4, 4)
    at = data.draw(st.lists(st.tuples(*[st.integers(0, size - side)] * 2), min_size=3, max_size=3))
    positions = torch.tensor(data.draw(st.lists(st.tuples(*[st.integers(0, canvas - size)] * 2), min_size=3, max_size=3)))
    shifts = torch.tensor(data.draw(st.lists(st.tuples(shift, shift), min_size=3, max_size=3)))
    images = torch.zeros(3, 1, size, size, dtype=torch.uint8)
    for image, (i, j) in zip(images, at, strict=True):
        image[0, i : i + side, j : j + side] = 255
    first = torch.tensor(at)
    placement = Placement.__new__(Placement)
    for name, value in {
        "image_size": (size, size),
        "canvas_size": (canvas, canvas),
        "input_size": (window, window),
        "protocol": protocol,
    }.items():
        object.__setattr__(placement, name, value)
    view, rows = View(placement, positions, shifts), torch.tensor([2, 0])
    seen = view(images[rows], rows)
    boxes = view.boxes(torch.stack((first, first + side), 1)[rows], rows)
    for image, box in zip(seen, boxes, strict=True):
        bright = image[0].nonzero()
        whole = len(bright) == side**2 and ((bright.amax(0) - bright.amin(0)) == side - 1).all()
        expected = torch.stack((bright.amin(0), bright.amax(0) + 1)) if whole else torch.full((2, 2), -1)
        assert torch.equal(box, expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(1, 3), SEEDS)
def test_a_heat_map_that_is_its_target_says_the_point(per_side, dims, seed):
    at = torch.rand(6, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    at = at.clamp(0.5 / per_side, 1 - 0.5 / per_side)  # between the centres of the outermost cells
    shares = cell_shares(at, per_side**dims)
    torch.testing.assert_close(shares.sum(1), torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(peak(shares.clamp(1e-300).log(), dims), at, rtol=0, atol=1e-9)


def test_a_peak_is_found_in_full_precision_whatever_the_training_has():
    logits = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        found = peak(logits, 2)
    assert torch.equal(found, peak(logits, 2))


@pytest.mark.parametrize("kind", ["regression", "heat_map"])
def test_images_without_an_object_do_not_count(kind):
    boxes = torch.tensor([[[1, 2], [3, 4]], [[-1, -1], [-1, -1]], [[0, 0], [2, 2]]])
    outputs = torch.randn(3, 2 if kind == "regression" else 16, generator=torch.Generator().manual_seed(0))
    task, both, one = Localisation(nn.Identity(), kind=kind), batch(boxes, (8, 8)), [0, 2]
    assert visible(boxes).tolist() == [True, False, True]
    kept = batch(boxes[one], (8, 8))
    assert float(task.loss(outputs, both)) == pytest.approx(float(task.loss(outputs[one], kept)))
    assert int(task.count(both)) == 2
    for name, values in task.measure(outputs, both).items():
        assert torch.equal(values, task.measure(outputs[one], kept)[name])
    nothing = batch(boxes[[1]], (8, 8))
    assert float(task.loss(outputs[[1]], nothing)) == 0


def test_regression_of_the_centre_is_exact_where_the_outputs_are():
    boxes = torch.tensor([[[1, 2], [3, 6]]])
    outputs = 2 * centres(boxes, torch.float32) / torch.tensor([8, 8]) - 1
    found = Localisation(nn.Identity()).measure(outputs, batch(boxes, (8, 8)))
    assert found["distance"].item() == pytest.approx(0, abs=1e-6)
    off = Localisation(nn.Identity(), radius=3.0).measure(outputs + torch.tensor([0.75, 1.0]), batch(boxes, (8, 8)))
    assert off["distance"].item() == pytest.approx(math.hypot(3, 4))  # pixels
    assert not off["within"].item()


def uniform(n, classes, seed):
    """Logits whose probabilities are exact, and labels that are drawn from them."""
    generator = torch.Generator().manual_seed(seed)
    chances = torch.rand(n, classes, generator=generator, dtype=torch.float64)
    return (chances / chances.sum(1, keepdim=True)).log(), torch.randint(classes, (n,), generator=generator)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(1, 60), SEEDS, st.integers(1, 20))
def test_the_confusion_matrix_counts_every_image_and_the_calibration_error_follows_its_formula(classes, n, seed, bins):
    logits, labels = uniform(n, classes, seed)
    found = measure_details(logits, labels, top_k=2, bins=bins)
    matrix = torch.tensor(found.maps["confusion"])
    assert torch.equal(matrix.sum(1), labels.bincount(minlength=classes))
    assert torch.equal(matrix.sum(0), logits.argmax(1).bincount(minlength=classes))
    hits = (logits.argmax(1) == labels).double()
    assert float(matrix.trace() / n) == pytest.approx(float(hits.mean()))
    assert found.numbers["top2"] >= hits.mean() - 1e-12
    sure, error = logits.exp().amax(1), 0.0
    for b in range(bins):
        inside = (sure > b / bins) & (sure <= (b + 1) / bins)
        if inside.any():
            error += float(inside.double().mean() * (hits[inside].mean() - sure[inside].mean()).abs())
    assert found.numbers["ece"] == pytest.approx(error, abs=1e-9)


def test_a_network_that_is_as_often_right_as_it_says_has_no_calibration_error():
    chances = torch.tensor([[0.75, 0.25]], dtype=torch.float64).repeat(8, 1)
    labels = torch.tensor([0, 0, 0, 1] * 2)  # right in three of four
    assert measure_details(chances.log(), labels, 5, 15).numbers == {"top2": 1.0, "ece": pytest.approx(0, abs=1e-12)}
    surer = torch.tensor([[0.99, 0.01]], dtype=torch.float64).repeat(8, 1)
    assert measure_details(surer.log(), labels, 5, 15).numbers["ece"] == pytest.approx(0.24)


def test_a_class_without_images_has_no_accuracy():
    logits, labels = torch.eye(3).double(), torch.tensor([0, 0, 0])
    assert measure_details(logits, labels, 1, 5).maps["class_accuracy"] == [pytest.approx(1 / 3), None, None]
