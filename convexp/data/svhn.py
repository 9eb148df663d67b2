"""SVHN: digits of house numbers in photographs of streets."""

from convexp.data.source import Source
from convexp.data.vision import read


def svhn(root: str, download: bool) -> Source:
    """Read the cropped digits: 73,257 for training and 26,032 for testing.

    Images are ``(N, 3, 32, 32)`` uint8, with parts of the neighbouring digits at the left and right. Label d is the digit d,
    although the files have 10 for the digit 0. The 531,131 easier images of the part ``extra`` are not read.

    Source: Y. Netzer et al. 2011, Reading digits in natural images with unsupervised feature learning (NIPS workshop);
    http://ufldl.stanford.edu/housenumbers

    Args:
        root: The folder that holds the files.
        download: Whether to download the files into ``root`` if they are missing.

    Raises:
        ConfigError: If the files are damaged, or missing and cannot be downloaded.
    """
    return read("SVHN", root, download, {"split": "train"}, {"split": "test"})
