"""The rows of tables by class: one for each class or, of many, for those with the most errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClassRows:
    """Which row each class has.

    Attributes:
        names: Name of each row.
        all_names: Name of each class.
        row: Row of each class, ``(classes,)`` int64.
    """

    names: tuple[str, ...]
    all_names: tuple[str, ...]
    row: Tensor

    def count(self, labels: Tensor) -> Tensor:
        """Count labels ``(n,)`` by row, ``(rows,)`` int64."""
        return self.row[labels].bincount(minlength=len(self.names))

    def pairs(self, labels: Tensor, answers: Tensor) -> Tensor:
        """Count pairs of a label and an answer, ``(n,)`` each, as a matrix ``(rows, rows)`` int64."""
        n = len(self.names)
        return (self.row[labels] * n + self.row[answers]).bincount(minlength=n * n).reshape(n, n)


def class_rows(labels: Tensor, answers: Tensor, outputs: int, names: Sequence[str] | None, most: int) -> ClassRows:
    """Choose the rows: a row for each class, or for the ``most - 1`` with the most errors and one for all others.

    An error counts for the true class and for the answer.

    Args:
        labels: True classes, ``(N,)`` int64.
        answers: Answers, ``(N,)`` int64.
        outputs: Number of outputs of the network.
        names: Names of the classes; None for their numbers, which also those beyond the names have.
        most: Largest number of rows.
    """
    known = list(names or ())[:outputs]
    every = (*known, *map(str, range(len(known), outputs)))
    if outputs <= most:
        return ClassRows(every, every, torch.arange(outputs, device=labels.device))
    wrong = answers != labels
    errors = sum(classes[wrong].bincount(minlength=outputs) for classes in (labels, answers))
    assert isinstance(errors, Tensor)
    chosen = errors.argsort(descending=True, stable=True)[: most - 1].sort().values
    row = torch.full((outputs,), most - 1, device=labels.device)
    row[chosen] = torch.arange(most - 1, device=labels.device)
    return ClassRows((*(every[i] for i in chosen.tolist()), f"{outputs - most + 1:,} others"), every, row)
