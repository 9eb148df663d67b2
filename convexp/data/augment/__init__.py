"""Augmentations: training images that are changed at random, anew in every epoch.

An augmentation is called as ``augmentation(images, labels, draws)`` and returns images and labels:

- ``images`` are ``(B, C, H, W)`` or ``(B, C, L)`` uint8, placed and shifted as the network will see them, on the device where
  the data lies; what is returned has the same shape and type.
- ``labels`` are ``(B,)`` int64, or ``(B, K)`` float32 with the probability of each class if they are mixtures.
- ``draws`` (``convexp.data.augment.draws.Draws``) has random numbers for each image, and other training images. As long as an
  augmentation takes its numbers from there and treats each image by itself, the result is a pure function of seed, epoch and
  sample: the same for every size of the batches, every number of workers, and in a resumed run.
"""

from convexp.data.augment.augmenter import Augmentation, Augmenter
from convexp.data.augment.draws import Draws

__all__ = ["Augmentation", "Augmenter", "Draws"]
