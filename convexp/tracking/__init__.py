"""Loggers of a run: TensorBoard, ``metrics.csv``, Weights & Biases and MLflow."""
