"""The settings of a search (conf/hydra/sweeper/optuna.yaml), checked before anything is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from convexp.errors import ConfigError
from convexp.studies.overrides import grid_values

SAMPLERS = ("tpe", "random", "cma-es")
Direction = Literal["minimize", "maximize"]
PRUNERS = ("median", "successive_halving")
DIRECTIONS = ("minimize", "maximize")
PREFIX = "hydra.sweeper"
MAX_SEED = 2**32  # as in the schema of a run


@dataclass(frozen=True)
class SearchSettings:
    """How a space is searched.

    Attributes:
        n_trials: Number of trials in all, those of earlier starts included.
        trials_at_once: How many trials are handed to the launcher together.
        sampler: One of ``SAMPLERS``.
        sampler_seed: Seed of the sampler.
        seeds: The seeds of a trial, which is a run for each; None for the seed of the configuration.
        storage: A file or a URL of SQLAlchemy; None for a file in the sweep's folder.
        study_name: Name of the search in the storage; None for that of the sweep's folder.
        metric: What is optimised; None for what the runs monitor.
        direction: One of ``DIRECTIONS``; None if the metric tells.
        pruner: What stops runs early, one of ``PRUNERS``; None if all are trained to the end.
    """

    n_trials: int
    trials_at_once: int = 1
    sampler: str = "tpe"
    sampler_seed: int = 0
    seeds: tuple[int, ...] | None = None
    storage: str | None = None
    study_name: str | None = None
    metric: str | None = None
    direction: Direction | None = None
    pruner: str | None = None


def read_settings(values: Mapping[str, Any]) -> SearchSettings:
    """Check the settings of the sweeper.

    Raises:
        ConfigError: naming the setting that is wrong.
    """
    for name in ("n_trials", "trials_at_once"):
        _check(name, values[name], _is_whole(values[name]) and values[name] > 0, "a whole number above 0")
    _check("sampler", values["sampler"], values["sampler"] in SAMPLERS, f"one of {', '.join(SAMPLERS)}")
    seed = values["sampler_seed"]
    _check("sampler_seed", seed, _is_whole(seed) and 0 <= seed < MAX_SEED, "a whole number from 0 to 2^32 - 1")
    for name in ("storage", "study_name", "metric"):
        _check(name, values[name], values[name] is None or (isinstance(values[name], str) and values[name]), "a text, or null")
    direction = values["direction"]
    _check("direction", direction, direction is None or direction in DIRECTIONS, f"null, {' or '.join(DIRECTIONS)}")
    pruner = values["pruner"]
    _check("pruner", pruner, pruner is None or pruner in PRUNERS, f"null, {' or '.join(PRUNERS)}")
    if values["sampler"] == "cma-es" and find_spec("cmaes") is None:
        raise ConfigError(f"{PREFIX}.sampler=cma-es: the package cmaes is not installed; pip install cmaes")
    checked: dict[str, Any] = {**values, "seeds": _seeds(values["seeds"])}
    return SearchSettings(**checked)


def _seeds(given: Any) -> tuple[int, ...] | None:
    """The seeds of a trial: a list (``[0, 1, 2]``), a single one, or a text such as ``range(3)``."""
    if given is None:
        return None
    seeds = grid_values("seed", list(given) if isinstance(given, Iterable) and not isinstance(given, str) else given)
    valid = all(_is_whole(seed) and 0 <= seed < MAX_SEED for seed in seeds)
    _check("seeds", given, seeds and valid and len(set(seeds)) == len(seeds), "different seeds, such as [0,1,2] or range(3)")
    return tuple(seeds)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check(name: str, value: object, is_right: object, expected: str) -> None:
    if not is_right:
        raise ConfigError(f"{PREFIX}.{name}={'null' if value is None else value}: should be {expected}")
