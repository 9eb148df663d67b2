"""What chooses the settings of a trial."""

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
