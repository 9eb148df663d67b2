"""The sparse random hierarchy model: a task with synonyms and with features that may lie in several places.

The number of samples that a locally connected network needs grows as ``(s0 + 1)^L n_c m^L``, and that of a convolutional
network as ``(s0 + 1)^2 n_c m^L``, as we know it from others' notes of the paper; its text was not read.

Source: U. M. Tomasini & M. Wyart 2024, How Deep Networks Learn Sparse and Hierarchical Data: the Sparse Random Hierarchy Model
(ICML, arXiv 2404.10727); without empty positions it is the random hierarchy model of F. Cagnetta, L. Petrini, U. M. Tomasini,
A. Favero & M. Wyart 2024, Physical Review X 14, 031001.
"""

import math
from collections.abc import Iterator
from itertools import count
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from convexp.data.hierarchy import Hierarchy, Sparsity, draw_hierarchy
from convexp.data.rng import generator
from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_integers, check_memory, source_error

MOST = 10**6  # Positions of a signal, and tuples of the vocabulary.


def srhm(
    shape: list[int],
    v: int,
    m: int,
    s: int,
    s0: int,
    levels: int,
    classes: int,
    sparsity: Sparsity,
    train: int,
    test: int,
    seed: int,
) -> Source:
    """Draw signals of a random hierarchy for training and for testing. The label is the class that a signal was made from.

    Classes, synonyms and places are drawn independently and uniformly, by the same rules for both parts. The signals for
    training and validation are all different, and none of them is a test signal: one that is there already is drawn again.
    Test signals may recur. A smaller part for training is the beginning of a larger one.

    Args:
        shape: Shape of a signal, [v, (s (s0 + 1))^levels]: a channel for each feature.
        v: Number of features in the vocabulary of each level, at least 2.
        m: Number of synonyms: how many tuples each feature can make, at most v^(s-1).
        s: Number of features in a tuple.
        s0: Number of empty positions for each feature. 0 is the random hierarchy model.
        levels: Number of levels, L.
        classes: Number of classes, n_c. Together they have m n_c tuples, at most v^s.
        sparsity: ``A``: each feature lies in a part of the patch of its own, of s0 + 1 positions. ``B``: the features lie
            anywhere in the patch, in their order.
        train: Number of signals for training and validation.
        test: Number of test signals.
        seed: Seed of the rules and of all draws.

    Raises:
        ConfigError: If a setting is out of range, there are too few different signals, or they do not fit into memory.
    """
    sizes = {"m": m, "s": s, "s0": s0, "levels": levels, "classes": classes}
    _check({"v": v} | sizes | {"train": train, "test": test, "seed": seed}, sparsity, shape)
    check_memory(train, shape, "train")
    check_memory(test, shape, "test")
    hierarchy = draw_hierarchy(v, m, s, s0, levels, classes, sparsity, seed)
    if 2 * train > (different := number_of_signals(**sizes, sparsity=sparsity)):
        raise source_error("train", train, f"should be at most {different // 2}, half of the {different} different signals")

    signals, labels = _draw(train, hierarchy, set(), False, "srhm", seed, "train")
    tested = _draw(test, hierarchy, set(_keys(signals)), True, "srhm", seed, "test")
    return Source(signals, labels, *tested, hierarchy=hierarchy)


def _draw(n: int, hierarchy: Hierarchy, known: set[bytes], recur: bool, *key: int | str) -> tuple[Tensor, Tensor]:
    """Draw ``n`` signals that are not ``known``, and their labels, in chunks; ``recur``: whether one may be there twice."""
    parts: list[tuple[Tensor, Tensor]] = []
    missing = n
    for chunk in count():
        drawn = generator(*key, chunk)
        labels = torch.randint(len(hierarchy.rules[0]), (CHUNK,), generator=drawn)
        signals = hierarchy.render(hierarchy.draw(labels, drawn))
        new: list[int] = []
        for row, name in enumerate(_keys(signals)):
            if name not in known:
                new.append(row)
                if not recur:
                    known.add(name)
        parts.append((signals[new[:missing]], labels[new[:missing]]))
        missing -= len(parts[-1][1])
        if not missing:
            break
    signals, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return signals, labels


def number_of_signals(m: int, s: int, s0: int, levels: int, classes: int, sparsity: Sparsity) -> int:
    """Return the number of different signals, ``n_c (m c)^F`` with F = 1 + s + ... + s^(L-1) features that choose.

    Each chooses one of m synonyms and one of c ways to place s features: ``(s0 + 1)^s`` in A, ``binomial(s (s0 + 1), s)`` in B.
    """
    ways = (s0 + 1) ** s if sparsity == "A" else math.comb(s * (s0 + 1), s)
    return classes * (m * ways) ** sum(s**step for step in range(levels))


def _keys(signals: Tensor) -> Iterator[bytes]:
    """Signals as keys of a set, a bit for each number."""
    return (row.tobytes() for row in np.packbits(signals.flatten(1).numpy() != 0, axis=1))


def _check(integers: dict[str, int], sparsity: str, shape: list[int]) -> None:
    check_integers(integers, v=2, s0=0, classes=2, seed=0)
    v, m, s, s0, levels, classes = (integers[name] for name in ("v", "m", "s", "s0", "levels", "classes"))
    if sparsity not in get_args(Sparsity):
        raise source_error("sparsity", sparsity, "should be A or B")
    if s * math.log(v) > math.log(MOST) + 1e-9:
        raise source_error("s", s, f"should be smaller: there would be more than {MOST:,} tuples, v^s with v={v}")
    if m * v > v**s:
        raise source_error("m", m, f"should be at most {v ** (s - 1)}, v^(s-1), so that each of the v features has m tuples")
    if m * classes > v**s:
        raise source_error("classes", classes, f"should be at most {v**s // m}, v^s / m, so that each class has m tuples")
    if levels * math.log(s * (s0 + 1)) > math.log(MOST) + 1e-9 or levels > MOST:
        raise source_error("levels", levels, f"should be fewer: signals have (s (s0 + 1))^levels positions, at most {MOST:,}")
    if shape != [v, length := (s * (s0 + 1)) ** levels]:
        raise source_error("shape", shape, f"should be [{v}, {length}], v channels and (s (s0 + 1))^levels positions")
