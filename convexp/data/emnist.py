"""EMNIST: handwritten digits and letters."""

from torchvision.datasets import EMNIST

from convexp.data.source import CHUNK, Source
from convexp.data.vision import read
from convexp.errors import ConfigError


def emnist(split: str, root: str, download: bool) -> Source:
    """Read one of the six splits of EMNIST.

    Images are ``(N, 1, 28, 28)`` uint8. The files hold them with rows and columns swapped; here they are upright, as in MNIST.
    Labels count from 0 in every split, although those of ``letters`` count from 1 in the files.

    ========  =======  =======  =====================================================================
    split     classes  train    test
    ========  =======  =======  =====================================================================
    byclass        62  697,932  116,323  digits, capital and small letters, as often as they were written
    bymerge        47  697,932  116,323  as byclass, but 15 letters whose two cases look alike have one class for both
    balanced       47  112,800   18,800  the classes of bymerge, equally often
    letters        26  124,800   20,800  letters with one class for both cases, equally often
    digits         10  240,000   40,000  digits, equally often
    mnist          10   60,000   10,000  digits, equally often
    ========  =======  =======  =====================================================================

    Source: G. Cohen et al. 2017, EMNIST: an extension of MNIST to handwritten letters (arXiv:1702.05373);
    https://www.nist.gov/itl/products-and-services/emnist-dataset

    Args:
        split: Name of a split in the table.
        root: The folder that holds the files.
        download: Whether to download the files into ``root`` if they are missing.

    Raises:
        ConfigError: If there is no such split, or if its files are damaged or missing and cannot be downloaded.
    """
    if split not in EMNIST.splits:
        raise ConfigError(f"data.source.split={split}: should be one of {', '.join(EMNIST.splits)}")
    source = read("EMNIST", root, download, {"split": split, "train": True}, {"split": split, "train": False})
    for images in (source.train_images, source.test_images):
        for chunk in images.split(CHUNK):
            chunk.copy_(chunk.mT.clone())  # in place, since there may be 700,000 images
    if split == "letters":
        source.train_labels.sub_(1)
        source.test_labels.sub_(1)
    return source
