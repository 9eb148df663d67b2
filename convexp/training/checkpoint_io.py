"""How checkpoints are written to the disk."""

import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from convexp.errors import ConvexpError
from convexp.training.plain_states import states_problem


class PlainCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint to its path directly.

    Lightning's own plugin writes to the temporary folder of the system first, which may be full, and moves the file.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write ``checkpoint`` to ``path``, whose folder is created if it does not exist.

        Raises:
            OSError: if the file cannot be written.
            ConvexpError: if a callback gave a state that could not be read again without running code.
        """
        if problem := states_problem(checkpoint.get("callbacks", {})):
            raise ConvexpError(problem)
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content.getbuffer())
