"""Loggers of a run: TensorBoard, ``metrics.csv``, Weights & Biases, MLflow, Aim and ClearML."""
