"""A kernel for one notebook: this interpreter, without settings of the user's Jupyter; all its files are gone afterwards."""

import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from convexp.machine.torch_variables import TORCH_VARIABLES
from convexp.teaching.place import LESSON
from convexp.teaching.run_argument import VARIABLE as RUN

CELL_LIMIT = 1800  # seconds; a lesson takes seconds, and a machine may be slow


@asynccontextmanager
async def kernel(notebook: Any, lesson: str, run: Path | None, threads: int) -> AsyncGenerator[NotebookClient]:
    """A context with a client whose kernel can execute the cells of a notebook, in the working directory.

    Args:
        notebook: The notebook, which gets the outputs.
        lesson: The lesson's name.
        run: The run that it looks into.
        threads: How many threads torch and NumPy use.
    """
    with tempfile.TemporaryDirectory(prefix="lesson-") as folder:
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),  # none of other interpreters
            transport="ipc",  # sockets in the folder: no ports that two commands could both take
            ip=f"{folder}/socket",
            connection_file=f"{folder}/connection.json",
        )
        client = NotebookClient(notebook, km=manager, timeout=CELL_LIMIT, shutdown_kernel="immediate")
        try:
            await client.async_start_new_kernel(env=_environment(folder, lesson, run, threads), cwd=str(Path.cwd()))
            await client.async_start_new_kernel_client()
            yield client
        finally:
            if client.km is not None:  # else it did not start, and the client has cleaned up
                await client._async_cleanup_kernel()  # pyright: ignore[reportPrivateUsage]


def _environment(folder: str, lesson: str, run: Path | None, threads: int) -> dict[str, str]:
    """The environment of a kernel, which finds the modules that this process finds, and leaves its files in ``folder``."""
    variables = {name: value for name, value in os.environ.items() if name != RUN}
    return {
        "OMP_NUM_THREADS": str(threads),
        **TORCH_VARIABLES,
        **variables,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TMPDIR": folder,
        "IPYTHONDIR": folder,
        "MPLBACKEND": "agg",
        "TQDM_DISABLE": "1",  # nobody watches, and what bars have drawn would stay in the notebook
        LESSON: lesson,
        **({RUN: str(run)} if run else {}),
    }
