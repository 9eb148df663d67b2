"""Kinds of pooling as windows along one dimension, so that sizes and receptive fields follow without torch.

Every kind returns ``floor(i / n)`` of i units, n the pooling size, so that networks that differ in their pooling have the same
units. ``convexp.models.pooling`` computes them.
"""

from dataclasses import dataclass
from typing import Literal

from convexp.geometry.windows import check_border

Pool = Literal["none", "max", "avg", "blur", "max_blur", "aps", "max_aps"]
StepKind = Literal["max", "avg", "blur", "select"]


@dataclass(frozen=True)
class PoolStep:
    """One step of a pooling along one dimension.

    Unit i sees the units from ``i * stride - before`` to ``i * stride - before + size - 1``.

    Attributes:
        kind: What is computed of the window: its maximum, its mean, a filter, or one of its units.
        size: Number of units that a unit sees, or may see if the step selects some.
        stride: Distance between the windows of neighbouring units.
        before: Units of the border in front of the first one.
    """

    kind: StepKind
    size: int
    stride: int
    before: int


def pool_steps(pool: Pool, size: int, blur_size: int) -> tuple[PoolStep, ...]:
    """Return the steps of a pooling along one dimension.

    ``max`` and ``avg`` have windows that do not overlap. ``blur`` is a filter at every ``size``-th unit. ``aps`` keeps every
    ``size``-th unit, from one of the first ``size`` on, which depends on the whole map: the step covers all of them.
    ``max_blur`` and ``max_aps`` take the maximum around every unit first.

    Args:
        pool: Kind of pooling.
        size: Pooling size n.
        blur_size: Number of taps of the filter.
    """
    dense = PoolStep("max", size, 1, (size - 1) // 2)
    blur = PoolStep("blur", blur_size, size, blur_size // 2)
    select = PoolStep("select", size, size, 0)
    steps: dict[Pool, tuple[PoolStep, ...]] = {
        "none": (),
        "max": (PoolStep("max", size, size, 0),),
        "avg": (PoolStep("avg", size, size, 0),),
        "blur": (blur,),
        "max_blur": (dense, blur),
        "aps": (select,),
        "max_aps": (dense, select),
    }
    return steps[pool]


def pooled_size(pool: Pool, units: int, size: int, blur_size: int, padding_mode: str) -> int:
    """Return the number of units along one dimension after a pooling of ``units``: ``floor(units / size)``.

    Raises:
        ValueError: If the window is larger than the units, if the filter of a blur has no middle or a border that is wider than
            the units allow, or if ``aps`` would have to compare parts of different sizes.
    """
    if pool == "none":
        return units
    if size > units:
        raise ValueError(f"pool_size={size} is larger than the {units} units it pools")
    if pool in ("blur", "max_blur"):
        _check_blur(units, blur_size, padding_mode)
    if pool in ("aps", "max_aps") and units % size:
        raise ValueError(f"pool_size={size} should divide the {units} units that pool={pool} compares parts of")
    return units // size


def _check_blur(units: int, blur_size: int, padding_mode: str) -> None:
    if blur_size % 2 == 0:
        raise ValueError(f"blur_size={blur_size} should be odd, so that the filter has a middle")
    try:
        check_border((units,), (blur_size // 2,), padding_mode)
    except ValueError:
        raise ValueError(f"blur_size={blur_size} is too large for {units} units with padding_mode={padding_mode}") from None
