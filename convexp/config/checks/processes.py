"""Check the settings of a training in several processes."""

from convexp.config.schema import Config
from convexp.errors import ConfigError
from convexp.machine.processes import torchrun_place, torchrun_processes_per_node

HINT = "more than one process trains a network with trainer=ddp (docs/training.md); a sweep trains several networks at once"


def check_processes(config: Config) -> None:
    """Check ``trainer.devices``, ``num_nodes`` and ``strategy``, and that every process has a share of every batch.

    Raises:
        ConfigError: naming the setting.
    """
    trainer, data = config.trainer, config.data
    for name in ("devices", "num_nodes"):
        if trainer.strategy == "auto" and getattr(trainer, name) > 1:
            raise ConfigError(f"trainer.{name}={getattr(trainer, name)}: should be 1 with trainer.strategy=auto; {HINT}")
    if trainer.processes == 1:
        return
    if trainer.accelerator == "mps":
        raise ConfigError(f"trainer.accelerator=mps: trains in one process; should be cpu or gpu with {_count(config)}")
    for name in ("batch_size", "eval_batch_size"):
        if getattr(data, name) < trainer.processes:
            raise ConfigError(
                f"data.{name}={getattr(data, name)}: is the batch of all processes together; should be {trainer.processes} or "
                f"more with {_count(config)}"
            )


def check_started_by(config: Config) -> None:
    """Check that the processes that train together can be started, or are those that torchrun has started.

    Raises:
        ConfigError: naming the setting.
    """
    trainer, place = config.trainer, torchrun_place()
    if place is None:
        if trainer.num_nodes > 1:
            raise ConfigError(
                f"trainer.num_nodes={trainer.num_nodes}: start the processes by torchrun on each machine, as in torchrun "
                f"--nnodes {trainer.num_nodes} --nproc-per-node {trainer.devices} ... -m convexp.train (docs/training.md)"
            )
        return
    if trainer.strategy == "auto":
        raise ConfigError(
            f"torchrun: has started {place.world_size} processes for a run in one; add trainer=ddp "
            f"trainer.devices={torchrun_processes_per_node()}, or start convexp-train without torchrun"
        )
    if place.world_size != trainer.processes or torchrun_processes_per_node() != trainer.devices:
        raise ConfigError(
            f"trainer.devices={trainer.devices} trainer.num_nodes={trainer.num_nodes}: torchrun has started "
            f"{place.world_size} processes, {torchrun_processes_per_node()} of them on this machine; these should agree"
        )


def check_no_torchrun(what: str) -> None:
    """Refuse to be one of the processes of torchrun, each of which would do the same.

    Args:
        what: What is to be started, as the user calls it.

    Raises:
        ConfigError: if torchrun has started this process beside others.
    """
    if torchrun_place() is not None:
        raise ConfigError(f"torchrun: starts a single run, not {what}; without torchrun each run starts its own processes")


def _count(config: Config) -> str:
    return f"trainer.devices={config.trainer.devices} trainer.num_nodes={config.trainer.num_nodes}"
