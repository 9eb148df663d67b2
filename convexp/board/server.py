"""TensorBoard in this process, for this machine only."""

import io
import socket
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from convexp.errors import ConfigError

HOST = "127.0.0.1"
IMAGES = 100  # of each tag that are kept; TensorBoard's own number is 10, which are fewer than the epochs of most runs


def check_free(port: int) -> None:
    """Check that a port of this machine can be listened on; 0 always can.

    Raises:
        ConfigError: If it cannot; the message names the setting.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"--port={port}: should be from 1 to 65535, or 0 for any that is free")
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a dashboard that has just ended
        try:
            opened.bind((HOST, port))
        except OSError as error:
            raise ConfigError(f"--port={port}: {error.strerror}, on {HOST}; name another, or 0 for any that is free") from None


def serve(folder: Path, port: int) -> str:
    """Start TensorBoard on ``folder`` in a thread, and return its address. It ends with this process.

    Args:
        folder: The folder.
        port: Port on 127.0.0.1; 0 for any that is free.

    Raises:
        ConfigError: If TensorBoard cannot start.
    """
    from tensorboard import program

    board: Any = program.TensorBoard()
    options = {"logdir": str(folder), "host": HOST, "port": str(port), "samples_per_plugin": f"images={IMAGES}"}
    try:
        with redirect_stderr(io.StringIO()):  # which would say how it reads its files
            board.configure(argv=["tensorboard", *(word for name, value in options.items() for word in (f"--{name}", value))])
            return str(board.launch()).rstrip("/")
    except program.TensorBoardServerException as error:
        raise ConfigError(f"TensorBoard cannot start: {error.msg}") from None
