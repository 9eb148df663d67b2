"""Environment variables that torch and its libraries read when they are imported."""

import os

TORCH_VARIABLES = {
    # How long idle threads of torch wait for work before they sleep: a long wait would starve a busy machine, without any wait
    # they would have to be woken for every small operation.
    "GOMP_SPINCOUNT": "3000",
    "KINETO_LOG_LEVEL": "99",  # else torch's profiler, which measures memory, prints a line at its start
}


def set_torch_variables() -> None:
    """Set those that are not set; it has no effect on a torch that has been imported already."""
    for name, value in TORCH_VARIABLES.items():
        os.environ.setdefault(name, value)
