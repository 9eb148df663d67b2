"""Imports all that a run may need, so that processes which are forked from one that has done so need not do it themselves.

Matplotlib draws the pictures at the end of a run, torchvision reads its data sets, and torch asks for its symbolic shapes when
layers are timed and large networks are counted. No process looks for garbage in all of that: memory that they have in common
would be copied.
"""

from convexp.machine.garbage import importing
from convexp.machine.program import begin_program

begin_program()
with importing():
    import matplotlib.backends.backend_agg  # pyright: ignore[reportUnusedImport]
    import matplotlib.figure  # pyright: ignore[reportUnusedImport]
    import torch.fx.experimental.symbolic_shapes  # pyright: ignore[reportUnusedImport]
    import torchvision

    from convexp.execution import training_run

__all__ = ["matplotlib", "torch", "torchvision", "training_run"]
