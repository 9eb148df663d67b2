"""How many runs of a sweep are done at the same time."""

import os
import shutil
import sys

from omegaconf import DictConfig, OmegaConf

from convexp.errors import ConfigError

GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd")  # made by NVIDIA's and by AMD's drivers


def check_processes(processes: object) -> None:
    """Check ``hydra.launcher.processes``.

    Raises:
        ConfigError: if it is neither None nor a positive integer.
    """
    if processes is not None and (type(processes) is not int or processes < 1):
        raise ConfigError(f"hydra.launcher.processes={processes}: should be a whole number from 1 on, or null")


def process_count(processes: int | None, config: DictConfig) -> int:
    """The number of processes: ``processes``, or if that is None, as many as keep all their threads within the cores.

    The latter is 1 if the number of threads is left to torch, or if the runs may use a GPU: how many runs a GPU holds is for
    the user to say.
    """
    threads = OmegaConf.select(config, "trainer.threads")
    on_cpu = {"cpu": True, "auto": not gpu_may_exist()}.get(str(OmegaConf.select(config, "trainer.accelerator")), False)
    if processes is not None or not on_cpu or type(threads) is not int or threads < 1:
        return processes or 1
    from joblib import cpu_count  # knows of containers that may not use all cores; imported only where something runs

    return max(1, cpu_count() // threads)


def gpu_may_exist() -> bool:
    """Whether there may be a GPU, without the seconds that it takes to import torch and ask it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    return sys.platform == "darwin" or shutil.which("nvidia-smi") is not None or any(map(os.path.exists, GPU_DEVICES))
