"""The maps that a probe measured in all runs of a folder, as arrays in a table."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convexp.errors import ConfigError, ConvexpError
from convexp.records.damage import DamagedError
from convexp.records.frame import identifying_columns
from convexp.records.index import collect
from convexp.records.record import ProbeRecord
from convexp.records.record_file import load_record
from convexp.records.settings import printable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def maps(folder: str | Path, probe: str, name: str) -> "pd.DataFrame":
    """Return a table with a row for each run below ``folder`` in which ``probe`` measured the map ``name``.

    The columns are those of ``load`` that tell the runs apart: ``path``, ``state``, ``seed``, ``model``, ``data`` and every
    setting that differs; and ``map``, an array of float64, in which a number that is not finite is NaN.

    Example::

        import numpy as np
        from convexp import runs

        maps = runs.maps("outputs/studies/three_layers", "shift_map", "accuracy")
        means = {model: np.mean(list(found), axis=0) for model, found in maps.groupby("model")["map"]}

    Args:
        folder: Folder of runs.
        probe: Name of the probe, such as ``shift_map``.
        name: Name of its map, such as ``accuracy``; the docstring of the probe has them, and so has the error for a wrong one.

    Raises:
        ConfigError: If there is no such folder, no run in it, or no run with this map.
    """
    import pandas as pd

    root, found = Path(folder), collect(Path(folder), with_maps=False)
    probes = [_probes(root / run.path) for run in found]
    rows: list[dict[str, Any]] = []
    known = {key: values for key, values in identifying_columns(found).items() if key != "error"}
    for number, (run, measured) in enumerate(zip(found, probes, strict=True)):
        array = _array(run.path, measured, probe, name)
        if array is not None:
            rows.append({key: values[number] for key, values in known.items()} | {"map": array})
    if not rows:
        known = sorted({printable(f"{p}/{m}") for measured in probes for p, record in measured.items() for m in record.maps})
        raise ConfigError(f"{probe}/{name}: no run in {root} has such a map; there are {', '.join(known) or 'none'}")
    return pd.DataFrame(rows)


def _probes(folder: Path) -> dict[str, ProbeRecord]:
    try:
        return load_record(folder).probes
    except (DamagedError, ConvexpError):  # the status of the run says so
        return {}


def _array(path: str, measured: dict[str, ProbeRecord], probe: str, name: str) -> "np.ndarray | None":
    """The map of one run; None if it has none, or one that is no array."""
    import numpy as np

    if probe not in measured or name not in measured[probe].maps:
        return None
    try:
        return np.array(measured[probe].maps[name], dtype=np.float64)  # None becomes NaN
    except (ValueError, TypeError, OverflowError):
        warnings.warn(f"{printable(path)}: {probe}/{name} is no array of numbers, and is left out", stacklevel=3)
        return None
