"""Data sets: where images come from, how they are split, placed and shifted, and how batches of them are made."""

from convexp.data.dataset import Dataset, prepare
from convexp.data.images import Batch, Images
from convexp.data.loaders import loader, training_loader
from convexp.data.source import Source

__all__ = ["Batch", "Dataset", "Images", "Source", "loader", "prepare", "training_loader"]
