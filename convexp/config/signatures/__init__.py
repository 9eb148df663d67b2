"""What a ``_target_`` takes, read from its source code: importing it would import torch."""
