"""How checkpoints are written to the disk."""

import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO


class PlainCheckpointIO(TorchCheckpointIO):
    """Writes the file that it is told to. Lightning's writes one in the temporary folder, which may be full, and moves it."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write ``checkpoint`` to ``path``, making its folder; raises an OSError that says why, if that fails."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content.getbuffer())
