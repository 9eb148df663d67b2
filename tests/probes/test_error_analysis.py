"""The probe of errors: laws of its counts, and networks whose mistakes are known."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import constant, data, few, in_the_middle, is_picture, make, summing
from sheets import framed
from torch import Tensor

from convexp.data.canvas import zero_fill
from convexp.probes import Measurement, Sample, measure
from convexp.probes.behaviour.class_rows import class_rows
from convexp.probes.behaviour.errors import Errors, first_change
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.probes.predict import Classifier, predict

PROBE = Errors(max_shift=2, max_images=40, shifted_images=40, mistakes=5, classes=10)


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def errors(network: Classifier, sample: Sample, **changes: Any) -> Measurement:
    return Errors(**{**vars(PROBE), **changes}).measure(network, sample)


def answering(answers: Tensor) -> Classifier:
    """A network that reads the answer from the first pixel of an image."""

    def network(images: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(images[:, 0, 0, 0].long(), int(answers.max()) + 1).float() * 9

    return network


def told(labels: list[int], answers: list[int]) -> tuple[Classifier, Sample]:
    given_answers = torch.tensor(answers)
    images = given_answers.to(torch.uint8)[:, None, None, None].repeat(1, 1, 4, 4)
    return answering(torch.tensor([*labels, *answers])), Sample(images, torch.tensor(labels))


@pytest.mark.parametrize("rows", [2, 4, 30])
def test_the_worst_class_is_that_of_all_classes_whether_it_has_a_row_or_not(rows):
    labels, answers = [*[0] * 9, *[1] * 9, 2], [*[1] * 5, *[0] * 4, *[0] * 5, *[1] * 4, 29]
    network, sample = told(labels, answers)  # class 2 has one image, which is wrong: fewer errors than the others have
    assert errors(network, sample, classes=rows).numbers["worst_class"] == 0


@few
@given(st.integers(0, 99), st.integers(0, 3), st.integers(1, 40))
def test_the_counts_are_those_of_the_images(seed, reach, shifted):
    images, labels = data(seed=seed)
    network, sample = make(seed=seed), Sample(images, labels)
    found = errors(network, sample, max_shift=reach, shifted_images=shifted)
    confusion, answers = np.array(found.maps["confusion"]), predict(network, sample)
    assert confusion.sum() == found.numbers["n"] == 40
    assert confusion.trace() / 40 == pytest.approx(found.numbers["accuracy"])
    assert found.numbers["accuracy"] == pytest.approx(float((answers == labels).double().mean()))
    assert confusion.tolist() == [[int(((labels == i) & (answers == j)).sum()) for j in range(3)] for i in range(3)]
    assert found.maps["recall"] == pytest.approx([row[i] / row.sum() for i, row in enumerate(confusion)])
    assert found.numbers["worst_class"] == pytest.approx(min(found.maps["recall"]))
    few_images = Sample(images[:shifted], labels[:shifted])
    shift_map = ShiftMap(reach, shifted).measure(network, few_images)
    right = np.array(found.maps["right_by_shift"])
    assert right.shape == (3, 2 * reach + 1, 2 * reach + 1)
    assert right.sum(0) / shifted == pytest.approx(np.array(shift_map.maps["accuracy"]))
    assert sum(found.maps["shifted"]) == found.numbers["n_shifted"] == shifted
    known = int(right[:, reach, reach].sum())
    assert sum(found.maps["first_change"]) == known
    assert len(found.maps["first_change"]) == reach + 1
    changed = np.array(found.maps["changed_to"])
    assert changed.trace() == 0
    assert changed.sum() == known - found.maps["first_change"][-1]
    if known:
        assert found.numbers["changed"] == pytest.approx(changed.sum() / known)


@few
@given(st.integers(0, 99), st.permutations(range(3)))
def test_other_names_of_the_classes_permute_the_tables(seed, order):
    images, labels = data(seed=seed)
    network, renamed = make(seed=seed), torch.tensor(order)

    def other(images: Tensor) -> Tensor:
        return network(images)[:, renamed.argsort()]

    found, permuted = errors(network, Sample(images, labels)), errors(other, Sample(images, renamed[labels]))
    for table in ("confusion", "changed_to"):
        assert np.array_equal(np.array(permuted.maps[table])[np.ix_(order, order)], np.array(found.maps[table]))
    for row in ("recall", "shifted", "right_by_shift"):
        assert np.array_equal(np.array(permuted.maps[row])[list(order)], np.array(found.maps[row]))
    assert permuted.numbers == pytest.approx(found.numbers)
    assert [m["image"] for m in permuted.maps["mistakes"]] == [m["image"] for m in found.maps["mistakes"]]


def test_the_nearest_shift_that_changes_an_answer_by_brute_force():
    images = data(seed=3)[0]
    network = make(seed=3)
    centre = network(images).argmax(1)
    found = errors(network, Sample(images, centre), max_shift=3)
    counts, to = [0] * 4, np.zeros((3, 3), dtype=int)
    for image, label in zip(images, centre.tolist(), strict=True):
        steps = sorted(((a, b) for a in range(-3, 4) for b in range(-3, 4)), key=lambda s: (max(map(abs, s)), s))
        answers = [(max(map(abs, s)), int(network(zero_fill(image[None], s)).argmax())) for s in steps]
        distance, answer = next(((d, a) for d, a in answers if a != label), (4, label))
        counts[distance - 1] += 1
        to[label, answer] += distance <= 3
    assert found.maps["first_change"] == counts
    assert found.maps["changed_to"] == to.tolist()
    assert found.numbers["changed"] == pytest.approx(1 - counts[3] / 40)
    assert found.numbers["changed_at"] == pytest.approx(sum((i + 1) * n for i, n in enumerate(counts[:3])) / sum(counts[:3]))


def test_an_invariant_network_changes_no_answer():
    images = torch.cat([in_the_middle(torch.full((5, 1, 4, 4), level, dtype=torch.uint8), 8) for level in (50, 200)])
    found = errors(summing(125 / 255 / 4), Sample(images, torch.arange(2).repeat_interleave(5)))
    assert found.maps["confusion"] == [[5, 0], [0, 5]]
    assert found.maps["first_change"] == [0, 0, 10]
    assert found.maps["changed_to"] == [[0, 0], [0, 0]]
    assert found.maps["mistakes"] == []
    assert found.numbers == {"worst_class": 1, "accuracy": 1, "changed": 0, "n": 10, "n_shifted": 10}
    assert "mistakes" not in found.pictures


def test_known_mistakes():
    network, sample = told([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 0, 2])
    found = errors(network, sample, max_shift=0)
    assert found.maps["confusion"] == [[1, 1, 0], [0, 2, 0], [1, 0, 1]]
    assert found.maps["recall"] == [0.5, 1.0, 0.5]
    assert [(m["image"], m["label"], m["answer"]) for m in found.maps["mistakes"]] == [(1, 0, 1), (4, 2, 0)]
    assert found.numbers["wrong_probability"] == pytest.approx(np.exp(9) / (np.exp(9) + 2))
    assert found.maps["classes"] == ["0", "1", "2"]
    assert found.maps["first_change"] == [4]


def test_the_surest_mistakes_come_first_and_are_few():
    images, network = data()[0], make()
    wrong = (network(images).argmax(1) + 1) % 3
    shares = network(images).double().softmax(1).amax(1)
    found = errors(network, Sample(images, wrong), mistakes=4).maps["mistakes"]
    assert [m["probability"] for m in found] == pytest.approx(sorted(shares.tolist(), reverse=True)[:4], abs=1e-4)
    assert all(m["label"] == (m["answer"] + 1) % 3 for m in found)


def test_a_class_without_images_has_no_recall():
    found = errors(constant(1), Sample(data()[0], torch.full((40,), 1)))
    assert found.maps["recall"] == [None, 1.0, None]
    assert found.numbers["worst_class"] == 1
    assert all(is_picture(picture) for picture in found.pictures.values())


@few
@given(st.integers(3, 30), st.integers(2, 10), st.integers(0, 99))
def test_many_classes_are_as_many_rows_as_asked_for(outputs, most, seed):
    draw = torch.Generator().manual_seed(seed)
    labels, answers = (torch.randint(0, outputs, (60,), generator=draw) for _ in range(2))
    rows = class_rows(labels, answers, outputs, None, most)
    assert len(rows.names) == min(outputs, most)
    assert rows.count(labels).sum() == rows.pairs(labels, answers).sum() == 60
    if outputs > most:
        assert rows.names[-1] == f"{outputs - most + 1} others"
        wrong = answers != labels
        errors_of = [int(((labels == c) & wrong).sum() + ((answers == c) & wrong).sum()) for c in range(outputs)]
        own = [c for c in range(outputs) if rows.row[c] < most - 1]
        assert min(errors_of[c] for c in own) >= max(errors_of[c] for c in range(outputs) if c not in own)
    else:
        assert torch.equal(rows.row, torch.arange(outputs))


def test_of_the_others_together_the_recall_is_that_of_their_images():
    network, sample = told([0, 1, 2, 3, 3, 4], [1, 0, 2, 4, 3, 4])
    found = errors(network, sample, classes=3, max_shift=0)
    assert found.maps["classes"] == ["0", "1", "3 others"]
    assert found.maps["confusion"] == [[0, 1, 0], [1, 0, 0], [0, 0, 4]]
    assert found.maps["recall"] == [0, 0, 0.75]


def test_classes_have_their_names_everywhere():
    network, sample = told([0, 1, 1], [0, 1, 0])
    named = Sample(sample.images, sample.labels, class_names=("cat", "a <b>dog</b>"))
    found = errors(network, named)
    assert found.maps["classes"] == ["cat", "a <b>dog</b>"]
    from_python = measure(make(classes=3), *data(), {"errors": {"max_shift": 1}}, class_names=["a", "b", "c"])
    assert from_python.maps["errors/classes"] == ["a", "b", "c"]


def test_pictures_show_the_tables():
    images, labels = data()
    found = errors(make(), Sample(images, labels))
    assert set(found.pictures) == {"confusion", "mistakes", "class_shifts"}
    assert all(is_picture(picture) for picture in found.pictures.values())
    shown = [tile for row in framed(found.pictures["mistakes"]) for tile in row]
    for tile, mistake in zip(shown, found.maps["mistakes"], strict=True):
        factor = len(tile) // 8
        assert np.array_equal(tile[::factor, ::factor, 0], images[mistake["image"], 0].numpy())
    assert len([tile for row in framed(found.pictures["class_shifts"]) for tile in row]) == 3


def test_answers_that_never_change_and_that_change_everywhere():
    distance = torch.tensor([1, 0, 1])
    kept, changed = torch.tensor([[0, 1], [0, 0], [0, 2]]), torch.tensor([0, 0])
    found, to = first_change(kept, changed, distance)
    assert found.tolist() == [2, 1]
    assert to.tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(1, 8), (3, 8, 8)])
def test_signals_and_colours(shape):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, *shape), dtype=torch.uint8, generator=generator)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape)), 3)).eval()
    found = errors(lambda x: network(x.float()), Sample(images, torch.arange(12) % 3))
    assert np.array(found.maps["right_by_shift"]).shape == (3, *(5,) * (len(shape) - 1))
    assert all(is_picture(picture) for picture in found.pictures.values())
