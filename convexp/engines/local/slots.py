"""How many runs of a sweep are done at the same time on this machine, and with which part of it: its GPUs, its threads."""

import os

from omegaconf import DictConfig, OmegaConf

from convexp.errors import ConfigError
from convexp.machine.gpus import CUDA, Gpus, find_gpus

THREADS = "OMP_NUM_THREADS"  # of the numerical libraries; torch's own default follows it

Slot = dict[str, str]  # environment variables of a process that does one run at a time


def check_local(processes: object, runs_per_gpu: object, config: DictConfig) -> None:
    """Check ``hydra.launcher.processes`` and ``hydra.launcher.runs_per_gpu``.

    Raises:
        ConfigError: if the first is neither None nor a positive integer, the second is no positive integer, or it is more than
            1 although the runs of ``config`` can use no GPU; or if ``CUDA_VISIBLE_DEVICES`` names a GPU twice.
    """
    if processes is not None and not _is_count(processes):
        raise ConfigError(f"hydra.launcher.processes={processes}: should be a whole number from 1 on, or null")
    if not _is_count(runs_per_gpu):
        raise ConfigError(f"hydra.launcher.runs_per_gpu={runs_per_gpu}: should be a whole number from 1 on")
    look = runs_per_gpu != 1 or CUDA in os.environ  # else it can wait until there is something to run: it takes a while
    if look and not _gpus(config).names and runs_per_gpu != 1:
        accelerator = OmegaConf.select(config, "trainer.accelerator")
        why = "the runs use none" if accelerator == "cpu" else "none is found here"
        raise ConfigError(
            f"hydra.launcher.runs_per_gpu={runs_per_gpu}: trainer.accelerator={accelerator}, and {why}; without a GPU "
            "hydra.launcher.processes is the number of runs at the same time"
        )


def make_slots(processes: int | None, runs_per_gpu: int, config: DictConfig) -> list[Slot]:
    """Divide the machine among the runs that are done at the same time.

    Where the runs can use a GPU, each slot shows one to its runs (or ``trainer.devices`` of them), and ``runs_per_gpu`` slots
    show the same one. The slots of different GPUs come first, so that a few runs are spread over all.

    Args:
        processes: Largest number of slots; None for as many as there are GPUs, or on CPUs as many as keep all threads of the
            runs within the cores, or one if ``trainer.threads`` leaves their number to torch.
        runs_per_gpu: Number of runs that share a GPU.
        config: Configuration of the sweep.

    Returns:
        The environment variables of each slot; with several slots and ``trainer.threads=null`` they give each an equal part of
        the cores. A single slot has none: its runs are done as if there were no slots.
    """
    if processes == 1:
        return [{}]
    gpus = _gpus(config)
    devices = _devices(config)
    groups = [gpus.names[first : first + devices] for first in range(0, len(gpus.names) - devices + 1, devices)]
    slots = [gpus.shown(*group) for _ in range(runs_per_gpu) for group in groups][:processes]
    slots = slots or [{} for _ in range(processes or _cpu_count(config))]
    if len(slots) == 1:
        return [{}]
    if _number(config, "trainer.threads") is None and THREADS not in os.environ:
        share = str(max(1, _cores() // len(slots)))
        slots = [slot | {THREADS: share} for slot in slots]
    return slots


def _gpus(config: DictConfig) -> Gpus:
    """The GPUs that the runs can use."""
    return Gpus(None, ()) if OmegaConf.select(config, "trainer.accelerator") == "cpu" else find_gpus()


def _cpu_count(config: DictConfig) -> int:
    """How many runs keep all their threads within the cores: 1 if torch chooses the number of threads."""
    threads, accelerator = _number(config, "trainer.threads"), OmegaConf.select(config, "trainer.accelerator")
    if threads is None or threads < 1 or accelerator not in ("cpu", "auto"):
        return 1
    return max(1, _cores() // (threads * _devices(config)))


def _devices(config: DictConfig) -> int:
    """How many processes, on as many GPUs or each with all its threads, do one run together."""
    return max(1, _number(config, "trainer.devices") or 1)


def _cores() -> int:
    from joblib import cpu_count  # knows of containers that may not use all cores; imported only where something runs

    return cpu_count()


def _number(config: DictConfig, setting: str) -> int | None:
    value = OmegaConf.select(config, setting)
    return value if type(value) is int else None


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 1
