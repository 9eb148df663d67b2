"""Compiling ``kernels.c`` with the machine's own compiler, once, and loading what it makes."""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

SOURCE = Path(__file__).with_name("kernels.c")
FLAGS = ("-O3", "-march=native", "-fPIC", "-fopenmp")
FUNCTIONS = {
    "forward": "pnnppppnnppnn",
    "weight_gradient": "pnnppppppnn",
    "input_gradient": "pnnppppppnn",
    "order_output": "ppppn",
}
"""The arguments of each function of the library: p for an address, n for a number."""

_ARGUMENT = {"p": ctypes.c_void_p, "n": ctypes.c_int64}
SECONDS = 120  # that the compiler may take
VARIABLE = "CONVEXP_NATIVE"  # 0: do not compile


@lru_cache
def library() -> ctypes.CDLL | None:
    """Return the compiled kernels; None where there is no C compiler, where torch has no OpenMP, or with ``CONVEXP_NATIVE=0``.

    They are compiled for this processor on the first call on this machine, which takes some seconds, and kept in the user's
    cache, ``~/.cache/convexp/native`` or below ``XDG_CACHE_HOME``.
    """
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if compiler is None or sys.platform == "win32" or os.environ.get(VARIABLE) == "0":
        return None
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "convexp" / "native"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / f"{_key(compiler)}.so"
        if not file.exists():
            _compile(compiler, file)
        return _loaded(file) if _is_own(folder) and _is_own(file) else None
    except (OSError, RuntimeError, subprocess.SubprocessError):  # RuntimeError: the user has no home
        return None


def _loaded(file: Path) -> ctypes.CDLL:
    """The library, whose functions take addresses and numbers as Python has them."""
    made = ctypes.CDLL(str(file))
    for name, arguments in FUNCTIONS.items():
        function = getattr(made, name)
        function.argtypes, function.restype = [_ARGUMENT[letter] for letter in arguments], None
    return made


def _key(compiler: str) -> str:
    """What the result depends on: the sources, the compiler and the processor."""
    sources = (file.read_text(encoding="utf-8") for file in sorted(SOURCE.parent.glob("*.[ch]")))
    parts = (*sources, *FLAGS, str(Path(compiler).resolve()), platform.machine(), _processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _processor() -> str:
    """What the processor can do: a home may be shared by machines that differ in it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _compile(compiler: str, file: Path) -> None:
    """Compile, and put the result in place at once: several processes may do so side by side.

    OpenMP is not linked: torch has loaded it, and two copies would have threads each, which wait for the processor.
    """
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        made, linked = Path(folder, "kernels.o"), Path(folder, "kernels.so")
        for step in ([*FLAGS, "-c", str(SOURCE), "-o", str(made)], ["-shared", str(made), "-o", str(linked)]):
            subprocess.run([compiler, *step], check=True, capture_output=True, timeout=SECONDS)
        linked.chmod(0o700)  # whatever the user's umask
        linked.replace(file)


def _is_own(path: Path) -> bool:
    """Whether nobody but this user can have written ``path``: what is in it is executed."""
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022
