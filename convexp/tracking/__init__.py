"""Loggers: TensorBoard, metrics.csv, Weights & Biases, MLflow."""
