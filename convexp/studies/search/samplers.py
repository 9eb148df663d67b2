"""What chooses the settings of a trial, and what stops it early."""

import hashlib

import optuna

from convexp.studies.search.settings import SearchSettings


def make_sampler(settings: SearchSettings, trial: int) -> optuna.samplers.BaseSampler:
    """Return the sampler for one trial, with a seed of its own.

    So the settings of a trial follow from the seed and from the trials before it, however often the search was started.

    Args:
        settings: The settings of the search.
        trial: Number of the trial.
    """
    seed = int.from_bytes(hashlib.sha256(f"{settings.sampler_seed} {trial}".encode()).digest()[:4], "big")
    match settings.sampler:
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "cma-es":
            return optuna.samplers.CmaEsSampler(seed=seed)
        case _:
            return optuna.samplers.TPESampler(seed=seed)


def make_pruner(settings: SearchSettings) -> optuna.pruners.BasePruner | None:
    """Return what decides whether a trial is stopped early; None if none is."""
    match settings.pruner:
        case "median":
            return optuna.pruners.MedianPruner()
        case "successive_halving":
            return optuna.pruners.SuccessiveHalvingPruner()
        case _:
            return None
