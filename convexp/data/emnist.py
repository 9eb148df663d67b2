"""EMNIST: handwritten digits and letters, turned upright."""

from torchvision.datasets import EMNIST

from convexp.data.source import CHUNK, Source
from convexp.data.vision import read
from convexp.errors import ConfigError


def emnist(split: str, root: str, download: bool) -> Source:
    """One of EMNIST's six ``split``s, read from ``root``, downloaded into it first if it is not there and ``download``.

    Images are uint8 ``(N, 1, 28, 28)``. The files hold them with rows and columns swapped; here they stand upright, as MNIST's
    do. Labels count from 0 in every split; those of ``letters`` count from 1 in the files.

    ========  =======  =======  =====================================================================
    split     classes  train    test
    ========  =======  =======  =====================================================================
    byclass        62  697,932  116,323  digits, capital and small letters, as often as people write them
    bymerge        47  697,932  116,323  likewise; 15 small letters that look like their capitals are one class with them
    balanced       47  112,800   18,800  classes of bymerge, equally often
    letters        26  124,800   20,800  capital and small in one class, equally often
    digits         10  240,000   40,000  equally often
    mnist          10   60,000   10,000  equally often
    ========  =======  =======  =====================================================================

    Source: G. Cohen et al. 2017, EMNIST: an extension of MNIST to handwritten letters (arXiv:1702.05373);
    https://www.nist.gov/itl/products-and-services/emnist-dataset

    Args:
        split: one of those in the table.
        root: the folder that holds the files.
        download: whether to fetch them if they are not there.

    Raises:
        ConfigError: if there is no such split, or its files are missing and cannot be downloaded, or are damaged.
    """
    if split not in EMNIST.splits:
        raise ConfigError(f"data.source.split={split}: there are {', '.join(EMNIST.splits)}")
    source = read("EMNIST", root, download, {"split": split, "train": True}, {"split": split, "train": False})
    for images in (source.train_images, source.test_images):
        for chunk in images.split(CHUNK):
            chunk.copy_(chunk.mT.clone())  # in place: there may be 700,000
    if split == "letters":
        source.train_labels.sub_(1)
        source.test_labels.sub_(1)
    return source
