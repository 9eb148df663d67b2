"""SVHN: house numbers in photographs of streets."""

from convexp.data.source import Source
from convexp.data.vision import read


def svhn(root: str, download: bool) -> Source:
    """Cropped digits, 73,257 + 26,032, read from ``root``, downloaded into it first if they are not there and ``download``.

    Images are uint8 ``(N, 3, 32, 32)``, with parts of the neighbouring digits left and right; label d is the digit d (the files
    have 10 for 0). The further 531,131 easier images that the publishers call extra are not read.

    Source: Y. Netzer et al. 2011, Reading digits in natural images with unsupervised feature learning (NIPS workshop);
    http://ufldl.stanford.edu/housenumbers

    Args:
        root: the folder that holds the files.
        download: whether to fetch them if they are not there.

    Raises:
        ConfigError: if the files are missing and cannot be downloaded, or are damaged.
    """
    return read("SVHN", root, download, {"split": "train"}, {"split": "test"})
