"""Imports all that a run needs at any time, so that processes forked from one that has done so need not do it themselves.

Matplotlib draws the pictures at the end of a run; torch's symbolic shapes are asked for when layers are timed, and by large networks.
"""

import matplotlib.backends.backend_agg
import matplotlib.figure
import torch.fx.experimental.symbolic_shapes

from convexp.execution import training_run

__all__ = ["matplotlib", "torch", "training_run"]
