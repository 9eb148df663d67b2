"""Which GPUs the processes started from here can use, found without the seconds that it takes to import torch and ask it."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convexp.errors import ConfigError

CUDA, HIP = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"  # what NVIDIA's and AMD's libraries show to a process
ROCR = "ROCR_VISIBLE_DEVICES"  # hides GPUs from HIP, which numbers the others from 0
DEVICES, KFD = Path("/dev"), Path("/sys/class/kfd/kfd/topology/nodes")  # what NVIDIA's and AMD's drivers make


@dataclass(frozen=True)
class Gpus:
    """The GPUs of this machine that a process started from here can use.

    Attributes:
        variable: The environment variable that shows some of them to a process; None for the one GPU of a Mac, always shown.
        names: What each is called in it: an index, or NVIDIA's name of a GPU or of a part of one (``GPU-…``, ``MIG-…``).
    """

    variable: str | None
    names: tuple[str, ...]

    def shown(self, *names: str) -> dict[str, str]:
        """The environment of a process that sees only the GPUs of these names."""
        return {self.variable: ",".join(names)} if self.variable else {}


def find_gpus(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> Gpus:
    """Find the GPUs; those that ``CUDA_VISIBLE_DEVICES`` (or its like of AMD) names if it is set, none if it is empty.

    Raises:
        ConfigError: if that variable names a GPU twice.
    """
    if system == "darwin":
        return Gpus(None, ("mps",) if platform.machine() == "arm64" else ())
    amd = _amd_gpus(environment)
    variable = HIP if amd and (HIP in environment or CUDA not in environment) else CUDA
    if variable in environment:
        return Gpus(variable, visible(variable, environment[variable]))
    return Gpus(variable, amd or _nvidia_gpus())


def visible(variable: str, value: str) -> tuple[str, ...]:
    """The names in a value of ``CUDA_VISIBLE_DEVICES``; as CUDA reads it, those after one that is none count no more.

    Raises:
        ConfigError: if a GPU is named twice: then CUDA sees none at all.
    """
    names: list[str] = []
    for name in map(str.strip, value.split(",")):
        if not re.fullmatch(r"\d+|(GPU|MIG)-.+", name):
            break
        names.append(name)
    if len(set(names)) < len(names):
        raise ConfigError(f"{variable}={value}: names a GPU twice, so that none is seen; name each once")
    return tuple(names)


def listed(text: str) -> tuple[str, ...]:
    """The GPUs that ``nvidia-smi -L`` lists; where one is divided (MIG), its parts, as it is not used itself then."""
    gpus: list[list[str]] = []
    for line in text.splitlines():
        part = re.match(r"\s+MIG .*\(UUID: (MIG-[^)]+)\)", line)
        if part and gpus:
            gpus[-1].append(part[1])
        elif whole := re.match(r"GPU \d+: .*\(UUID: (GPU-[^)]+)\)", line):
            gpus.append([whole[1]])
    return tuple(name for gpu in gpus for name in gpu[1:] or gpu)


def _nvidia_gpus() -> tuple[str, ...]:
    """Those that NVIDIA's own program lists; in a container without it, one for each device file."""
    program = shutil.which("nvidia-smi")
    if program is None:
        files = [file for file in DEVICES.glob("nvidia*") if re.fullmatch(r"nvidia\d+", file.name)]
        return tuple(map(str, range(len(files))))  # CUDA numbers those that it finds, whatever their files are called
    try:
        done = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return ()
    return listed(done.stdout) if done.returncode == 0 else ()


def _amd_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """One for each node of AMD's driver that computes (the processor is a node, too)."""
    if ROCR in environment:
        names = [name for name in environment[ROCR].split(",") if name.strip()]
        return tuple(map(str, range(len(names))))
    properties = [file.read_text() for file in KFD.glob("*/properties")]
    nodes = [text for text in properties if re.search(r"^simd_count [1-9]", text, re.MULTILINE)]
    return tuple(map(str, range(len(nodes))))
