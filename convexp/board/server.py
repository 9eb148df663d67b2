"""TensorBoard in this process, for this machine only."""

from pathlib import Path
from typing import Any

from convexp.errors import ConfigError

HOST = "127.0.0.1"
IMAGES = 100  # of each tag that are kept; TensorBoard's own number is 10, which are fewer than the epochs of most runs


def serve(folder: Path, port: int) -> str:
    """Start TensorBoard on ``folder`` in a thread, and return its address. It ends with this process.

    Args:
        folder: The folder.
        port: Port on 127.0.0.1; 0 for any that is free.

    Raises:
        ConfigError: If the port is in use, or TensorBoard cannot start.
    """
    from tensorboard import default, program

    board: Any = program.TensorBoard(default.get_plugins(), program.get_default_assets_zip_provider())
    options = {"logdir": str(folder), "host": HOST, "port": str(port), "samples_per_plugin": f"images={IMAGES}"}
    try:
        board.configure(argv=["tensorboard", *(word for name, value in options.items() for word in (f"--{name}", value))])
        return str(board.launch()).rstrip("/")
    except program.TensorBoardPortInUseError:
        raise ConfigError(f"--port={port}: is in use on {HOST}; name another, or 0 for any that is free") from None
    except program.TensorBoardServerException as error:
        raise ConfigError(f"TensorBoard cannot start: {error.msg}") from None
