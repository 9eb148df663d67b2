"""Environment variables that Lightning obeys, checked before it is imported."""

import os

from convexp.errors import ConfigError

PREFIX = "PL_TRAINER_"
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")  # the first that is set is read, as a whole number


def check_environment() -> None:
    """Refuse variables that would change a run although no setting and no result says so, or end the import of Lightning.

    ``PL_TRAINER_X`` gives the argument ``x`` of a Trainer, such as ``limit_train_batches``, another default.

    Raises:
        ConfigError: naming the variable.
    """
    for name in sorted(os.environ):
        if name.startswith(PREFIX):
            raise ConfigError(
                f"{name}={os.environ[name]}: Lightning would change the run by it, and no result would say so; unset it and "
                "use the settings below trainer"
            )
    rank = next((name for name in RANKS if name in os.environ), None)
    if rank is not None and not os.environ[rank].strip().removeprefix("-").isdecimal():
        raise ConfigError(f"{rank}={os.environ[rank]}: should be a whole number, as Lightning reads a rank from it; unset it")
