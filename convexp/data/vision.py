"""Data sets of torchvision, read into whole tensors."""

import contextlib
import inspect
import io
import textwrap
from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from torch import Tensor

from convexp.data.source import Source
from convexp.errors import ConfigError


def vision(dataset: str, root: str, download: bool) -> Source:
    """Read a data set of ``torchvision.datasets`` whose constructor chooses the part by the argument ``train``.

    Examples are MNIST (LeCun et al. 1998, http://yann.lecun.com/exdb/mnist), FashionMNIST (Xiao
    et al. 2017, arXiv:1708.07747), KMNIST (Clanuwat et al. 2018, arXiv:1812.01718), CIFAR10 and CIFAR100 (Krizhevsky 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html; CIFAR100 with the 100 fine classes).

    Args:
        dataset: Name of the class in ``torchvision.datasets``.
        root: The folder that holds the files.
        download: Whether to download the files into ``root`` if they are missing.

    Raises:
        ConfigError: If there is no such data set, or if its files are damaged or missing and cannot be downloaded.
    """
    return read(dataset, root, download, {"train": True}, {"train": False})


def read(dataset: str, root: str, download: bool, train: Mapping[str, Any], test: Mapping[str, Any]) -> Source:
    """Read both parts of a data set of ``torchvision.datasets``.

    Images are ``(N, C, H, W)`` uint8 and contiguous, labels ``(N,)`` int64. They share torchvision's memory where its layout is
    the same.

    Args:
        dataset: Name of the class in ``torchvision.datasets``.
        root: The folder that holds the files.
        download: Whether to download the files into ``root`` if they are missing.
        train: Arguments with which the constructor returns the training part.
        test: Arguments with which the constructor returns the test part.

    Raises:
        ConfigError: If there is no such data set, or if its files are damaged or missing and cannot be downloaded.
    """
    images, labels, names = _part(dataset, root, download, train)
    test_images, test_labels, _ = _part(dataset, root, download, test)
    return Source(images, labels, test_images, test_labels, class_names=names)


def _part(dataset: str, root: str, download: bool, chosen: Mapping[str, Any]) -> tuple[Tensor, Tensor, tuple[str, ...] | None]:
    """Return the images of a part, their labels, and the names of the classes if torchvision has them."""
    kind = _kind(dataset, chosen)
    try:
        part = kind(root, download=False, **chosen)
    except Exception as error:  # a parser may raise anything for a damaged file
        if not _missing(error):
            raise _unreadable(dataset, root, error) from None
        part = _downloaded(kind, root, download, chosen)
    images = torch.as_tensor(part.data)
    if images.dim() == 3:
        images = images[:, None]  # (N, 1, H, W)
    elif images.shape[-1] == 3:
        images = images.permute(0, 3, 1, 2)  # (N, 3, H, W)
    labels = torch.as_tensor(part.targets if hasattr(part, "targets") else part.labels).long()
    if images.dtype != torch.uint8 or labels.shape != images.shape[:1]:
        found = f"images {list(images.shape)} of {images.dtype}, labels {list(labels.shape)}"
        raise _unreadable(dataset, root, ValueError(found))
    return images.contiguous(), labels, _class_names(getattr(part, "classes", None))


def _class_names(names: Any) -> tuple[str, ...] | None:
    """The names of the classes; ``0 - zero`` is called 0, and N/A, of which EMNIST's letters have no images, is left out."""
    if not isinstance(names, list | tuple):
        return None
    return tuple(str(name).partition(" - ")[0] for name in names if name != "N/A")


def _kind(dataset: str, chosen: Mapping[str, Any]) -> Any:
    """Return the class of a data set, after checking that its constructor takes the arguments."""
    kind: Any = getattr(torchvision.datasets, dataset, None)
    if not inspect.isclass(kind):
        raise ConfigError(f"data.source.dataset={dataset}: torchvision has no data set of that name")
    try:
        inspect.signature(kind).bind("", download=False, **chosen)
    except TypeError as error:
        raise ConfigError(f"data.source.dataset={dataset}: is not constructed as MNIST and CIFAR10 are ({error})") from None
    return kind


def _missing(error: Exception) -> bool:
    """Return whether torchvision reports missing files or, if it knows their MD5, wrong ones."""
    return isinstance(error, RuntimeError) and str(error).startswith(("Dataset not found", "Dataset metadata file not found"))


def _reason(error: Exception) -> str:
    return textwrap.shorten(str(error), 200) or type(error).__name__


def _unreadable(dataset: str, root: str, error: Exception) -> ConfigError:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None):  # the file may be intact
        return ConfigError(f"data.source.root={root}: {dataset} cannot be read from there ({_reason(error)})")
    return ConfigError(
        f"data.source.root={root}: a file of {dataset} there is truncated or damaged ({_reason(error)}); "
        "delete it and download it again"
    )


def _downloaded(kind: Any, root: str, download: bool, chosen: Mapping[str, Any]) -> Any:
    problem = f"data.source.root={root}: files of {kind.__name__} are missing there or damaged"
    if not download:
        raise ConfigError(f"{problem}; put them there, or set data.source.download=true")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return kind(root, download=True, **chosen)
    except Exception as error:  # an error of the network, the archive or its content
        raise ConfigError(
            f"{problem}, and they could not be downloaded ({_reason(error)}); set CONVEXP_DATA to the folder that holds them"
        ) from None
