"""Starts Ray on this machine, or joins a cluster; called in the process that ``Driver`` starts."""

import os
from typing import Any

from convexp.engines.ray.settings import RaySettings

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody is told
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # without other nodes all sockets are bound to localhost, on Linux as well
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # num_gpus=0 hides the GPUs; Ray warns unless this is said
}
OBJECT_STORE = 100_000_000  # bytes: what runs are given and return is small
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
SLOW = "timed out during startup"  # Ray waits half a minute for its own processes


def connect(settings: RaySettings) -> list[dict[str, float]]:
    """Start Ray or join the cluster at ``settings.address``.

    Returns:
        What each node has.

    Raises:
        Exception: whatever Ray raises.
    """
    if settings.address is None:
        os.environ.update(ENVIRONMENT)  # before the import
    import ray

    if settings.address is None:
        _start(settings)
    else:
        ray.init(settings.address, **QUIET)
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _start(settings: RaySettings) -> None:
    """Start Ray on this machine; a slow machine is given another try, until the launcher's patience ends."""
    import ray

    own: dict[str, Any] = {
        "num_cpus": settings.local_cpus,
        "num_gpus": settings.local_gpus,
        "object_store_memory": int(settings.object_store_memory or OBJECT_STORE),
    }
    while True:
        try:
            ray.init("local", include_dashboard=False, **QUIET, **{name: n for name, n in own.items() if n is not None})
            return
        except Exception as error:
            ray.shutdown()
            if SLOW not in str(error):
                raise
