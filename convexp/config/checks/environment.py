"""Check the environment variables that Lightning reads, before it is imported."""

import os

from convexp.errors import ConfigError

TRAINER_PREFIX = "PL_TRAINER_"
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")  # Lightning reads the first that is set, as an integer


def check_environment() -> None:
    """Refuse variables that would change a run although no setting and no result mentions them, or that Lightning cannot read.

    ``PL_TRAINER_X`` changes the default of the Trainer's argument ``x``, such as ``limit_train_batches``.

    Raises:
        ConfigError: naming the variable.
    """
    for name in sorted(os.environ):
        if name.startswith(TRAINER_PREFIX):
            raise ConfigError(
                f"{name}={os.environ[name]}: would make Lightning change the run without a trace in its result; unset it and "
                "use the settings of trainer"
            )
    rank = next((name for name in RANKS if name in os.environ), None)
    if rank is not None and not os.environ[rank].strip().removeprefix("-").isdecimal():
        raise ConfigError(f"{rank}={os.environ[rank]}: should be a whole number, as Lightning reads a rank from it; unset it")
