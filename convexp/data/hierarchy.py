"""A random hierarchy: from a class to its signal by production rules and places, and back.

A class makes s features, each of these makes s features one level below, and so on, L times. What a feature makes is one of
its m synonyms, s-tuples of features that no other feature makes. Each feature has s (s0 + 1) positions one level below, of
which its s features take s; the others, and all that would lie below them, stay empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from convexp.data.rng import generator

Sparsity = Literal["A", "B"]
BRIGHT = 255  # Grey level of the channel of a feature; all other channels are 0.


@dataclass(frozen=True, eq=False)
class Derivation:
    """How signals were made: their class, and what every feature chose. Step 0 is the one from the class, step L - 1 the last.

    Attributes:
        labels: The classes, ``(N,)`` int64.
        choices: For each step which synonym each feature makes, ``(N, s^step)`` int64, from 0 to m - 1.
        places: For each step where in its patch each of the made features lies, ``(N, s^step, s)`` int64, ascending.
    """

    labels: Tensor
    choices: tuple[Tensor, ...]
    places: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Production rules, and where features may lie.

    Attributes:
        rules: For each step the features that each feature makes, ``(n_c, m, s)`` in step 0 and ``(v, m, s)`` in the others,
            int64. No s-tuple occurs twice in a step.
        v: Number of features, the vocabulary.
        s0: Number of empty positions for each feature.
        sparsity: ``A``: the j-th of s features lies anywhere in the j-th part of the patch, of s0 + 1 positions. ``B``: the s
            features lie anywhere in the patch, in their order.
    """

    rules: tuple[Tensor, ...]
    v: int
    s0: int
    sparsity: Sparsity

    @property
    def levels(self) -> int:
        """Number L of steps from a class to its signal. The tuples of the last step are those of level 1."""
        return len(self.rules)

    @property
    def m(self) -> int:
        """Number of synonyms, the tuples that a feature makes."""
        return self.rules[0].shape[1]

    @property
    def s(self) -> int:
        """Number of features that a feature makes."""
        return self.rules[0].shape[2]

    @property
    def patch(self) -> int:
        """Number of positions for what a feature makes, s (s0 + 1)."""
        return self.s * (self.s0 + 1)

    @property
    def length(self) -> int:
        """Length of a signal, (s (s0 + 1))^L."""
        return self.patch**self.levels

    @cached_property
    def _parents(self) -> list[Tensor]:
        """For each step, by the number of an s-tuple, ``m * feature + synonym`` of what makes it; -1 if nothing does."""
        return [self._inverse(rules) for rules in self.rules]

    def _inverse(self, rules: Tensor) -> Tensor:
        made = tuple_numbers(rules.flatten(0, 1), self.v)
        return torch.full((self.v**self.s,), -1).index_put_((made,), torch.arange(len(made)))

    def draw(self, labels: Tensor, drawn: torch.Generator) -> Derivation:
        """Draw a derivation for each of ``labels``, ``(N,)``: synonyms and places are independent and uniform."""
        features = [(len(labels), self.s**step) for step in range(self.levels)]
        choices = tuple(torch.randint(self.m, shape, generator=drawn) for shape in features)
        return Derivation(labels, choices, tuple(self._draw_places(shape, drawn) for shape in features))

    def _draw_places(self, shape: tuple[int, int], drawn: torch.Generator) -> Tensor:
        """Places ``(*shape, s)``, ascending."""
        if self.sparsity == "A":
            first = torch.arange(self.s) * (self.s0 + 1)
            return first + torch.randint(self.s0 + 1, (*shape, self.s), generator=drawn)
        order = torch.rand(*shape, self.patch, generator=drawn, dtype=torch.float64).argsort(-1)
        return order[..., : self.s].sort(-1).values

    def features(self, derivation: Derivation) -> tuple[Tensor, Tensor]:
        """Return the features of the signals and their positions in it, ``(N, s^L)`` int64 each."""
        features = derivation.labels[:, None]
        positions = torch.zeros_like(features)
        for rules, choices, places in zip(self.rules, derivation.choices, derivation.places, strict=True):
            features = rules[features, choices].flatten(1)  # (N, s^(step + 1))
            positions = (positions[..., None] * self.patch + places).flatten(1)
        return features, positions

    def render(self, derivation: Derivation) -> Tensor:
        """Return the signals, ``(N, v, (s (s0 + 1))^L)`` uint8: a channel for each feature, 255 where it is and 0 elsewhere."""
        features, positions = self.features(derivation)
        signals = torch.zeros(len(features), self.v * self.length, dtype=torch.uint8)
        signals.scatter_(1, features * self.length + positions, BRIGHT)
        return signals.unflatten(1, (self.v, self.length))

    def decode(self, signals: Tensor) -> Derivation:
        """Return how ``signals``, ``(N, v, length)``, were made, by the inverse rules: the decision that is always right.

        Raises:
            ValueError: If a signal is none that this hierarchy makes.
        """
        if tuple(signals.shape[1:]) != (self.v, self.length):
            raise ValueError(f"signals {tuple(signals.shape[1:])}: should be {(self.v, self.length)}, features and positions")
        here = signals.cpu() != 0
        full = here.any(1)  # (N, length)
        if bool((here.sum(1) > 1).any()) or bool((full.sum(1) != self.s**self.levels).any()):
            raise ValueError("the signals are none of this hierarchy: other numbers of features")
        positions = full.nonzero()[:, 1].unflatten(0, (len(signals), -1))  # (N, s^L), ascending
        features = here.int().argmax(1).gather(1, positions)
        choices: list[Tensor] = []
        places: list[Tensor] = []
        for parents in reversed(self._parents):
            patches = (positions // self.patch).unflatten(1, (-1, self.s))
            places.insert(0, (positions % self.patch).unflatten(1, (-1, self.s)))
            made = parents[tuple_numbers(features.unflatten(1, (-1, self.s)), self.v)]  # (N, s^step)
            if bool((made < 0).any()) or bool((patches != patches[..., :1]).any()) or not self._may_lie(places[0]):
                raise ValueError("the signals are none of this hierarchy: other tuples or places")
            choices.insert(0, made % self.m)
            features, positions = made // self.m, patches[..., 0]
        return Derivation(features[:, 0], tuple(choices), tuple(places))

    def _may_lie(self, places: Tensor) -> bool:
        return self.sparsity == "B" or bool((places // (self.s0 + 1) == torch.arange(self.s)).all())

    def exchange_synonyms(self, derivation: Derivation, level: int, drawn: torch.Generator) -> Derivation:
        """Replace every tuple of a level, 1 to L, by another synonym of its feature, drawn uniformly.

        All places stay. The features below an exchanged tuple are other ones, and each makes its synonym of the same number.

        Raises:
            ValueError: If no feature has another synonym.
        """
        if self.m == 1:
            raise ValueError("m=1: no feature has another synonym")
        old = derivation.choices[-level]
        new = (old + torch.randint(1, self.m, old.shape, generator=drawn)) % self.m
        return replace(derivation, choices=_with(derivation.choices, -level, new))

    def displace(self, derivation: Derivation, level: int, drawn: torch.Generator) -> Derivation:
        """Draw the places of all features of a level, 1 to L, anew. What lies below moves with them; no feature changes."""
        shape = derivation.choices[-level].shape
        places = self._draw_places((shape[0], shape[1]), drawn)
        return replace(derivation, places=_with(derivation.places, -level, places))


def draw_hierarchy(v: int, m: int, s: int, s0: int, levels: int, classes: int, sparsity: Sparsity, seed: int) -> Hierarchy:
    """Draw production rules without repetition, uniformly: of all v^s tuples, each feature gets m that no other feature has.

    Args:
        v: Number of features, the vocabulary.
        m: Number of synonyms of a feature: at most v^(s-1), and at most v^s / classes for a class.
        s: Number of features that a feature makes.
        s0: Number of empty positions for each feature.
        levels: Number of steps, L.
        classes: Number of classes.
        sparsity: How features lie in their patch, ``A`` or ``B`` (see ``Hierarchy``).
        seed: Seed of the rules.
    """
    rules: list[Tensor] = []
    for step in range(levels):
        parents = v if step else classes
        chosen = torch.randperm(v**s, generator=generator("hierarchy", seed, step))[: parents * m]
        digits = torch.stack([chosen // v**place % v for place in range(s)], 1)  # (parents * m, s)
        rules.append(digits.unflatten(0, (parents, m)))
    return Hierarchy(tuple(rules), v, s0, sparsity)


def tuple_numbers(tuples: Tensor, v: int) -> Tensor:
    """Number tuples of features, ``(..., s)`` to ``(...)``: the j-th feature is the j-th digit to the base v from below."""
    return (tuples * v ** torch.arange(tuples.shape[-1])).sum(-1)


def _with(values: Sequence[Tensor], index: int, value: Tensor) -> tuple[Tensor, ...]:
    changed = list(values)
    changed[index] = value
    return tuple(changed)
