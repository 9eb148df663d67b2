"""Classes and functions that have moved since older run folders named them, so that those runs can still be used."""

from typing import Any

BEHAVIOUR = (
    "absolute_position",
    "consistency",
    "equivariance",
    "feature_maps",
    "flip_rate",
    "invariance_by_layer",
    "local_equivariance",
    "localisation",
    "relative_stability",
    "sensitivity_map",
    "shift_map",
)
STRUCTURE = ("accounting", "distance_from_conv", "kernels", "locality_index", "receptive_fields", "sharing_index")
LOGGERS = ("metrics_csv", "tensorboard", "trackers")
MOVED = {  # module: the module that its classes and functions are in now
    **{f"convexp.probes.{module}": f"convexp.probes.behaviour.{module}" for module in BEHAVIOUR},
    **{f"convexp.probes.{module}": f"convexp.probes.structure.{module}" for module in STRUCTURE},
    **{f"convexp.training.{module}": f"convexp.tracking.{module}" for module in LOGGERS},
}
BEFORE = {new: old for old, new in MOVED.items()}


def renamed(values: Any) -> Any:
    """``values`` with every ``_target_``, at any depth, under the name that it has now."""
    return _replaced(values, MOVED)


def first_named(values: Any) -> Any:
    """``values`` with every ``_target_`` under its first name, so that the identity of a run outlives a move."""
    return _replaced(values, BEFORE)


def _replaced(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_replaced(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _target(item, names) if key == "_target_" else _replaced(item, names) for key, item in value.items()}


def _target(name: Any, names: dict[str, str]) -> Any:
    module, dot, attribute = str(name).rpartition(".")
    return f"{names[module]}{dot}{attribute}" if module in names else name
