"""Loggers of a run: TensorBoard, ``metrics.csv``, Weights & Biases, MLflow, Aim and ClearML."""

from convexp.imports.lightning import import_lightning

import_lightning()  # before a module of this room imports it
