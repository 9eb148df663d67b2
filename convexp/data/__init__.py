"""Images: where they come from, how they are split and placed, how batches of them are made."""

from convexp.data.batches import Images, loader, training_loader
from convexp.data.dataset import Dataset, prepare
from convexp.data.source import Source

__all__ = ["Dataset", "Images", "Source", "loader", "prepare", "training_loader"]
