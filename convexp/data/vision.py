"""torchvision's data sets, as whole tensors."""

import contextlib
import io
from typing import Any
from urllib.error import URLError

import torch
import torchvision
from torch import Tensor

from convexp.data.source import Source
from convexp.errors import ConfigError


def vision(dataset: str, root: str, download: bool) -> Source:
    """``torchvision.datasets.<dataset>`` read from ``root``, downloaded into it first if it is not there and ``download``.

    Raises:
        ConfigError: if there is no such data set, or its files are missing and cannot be downloaded, or are damaged.
    """
    parts = [_part(dataset, root, train, download) for train in (True, False)]
    return Source(*parts[0], *parts[1])


def _part(dataset: str, root: str, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    kind: Any = getattr(torchvision.datasets, dataset, None)
    if kind is None:
        raise ConfigError(f"data.source.dataset={dataset}: torchvision has no data set of that name")
    try:
        part = kind(root, train=train, download=False)
    except (ValueError, AssertionError, EOFError, OSError) as error:
        raise _damaged(dataset, root, error) from None
    except RuntimeError as missing:
        part = _downloaded(dataset, root, train, download, missing)
    images = torch.as_tensor(part.data)
    if images.dim() == 3:
        images = images[:, None]  # (N, 1, H, W)
    elif images.shape[-1] == 3:
        images = images.permute(0, 3, 1, 2)  # (N, 3, H, W)
    labels = torch.as_tensor(part.targets).long()
    if len(images) != len(labels):
        raise _damaged(dataset, root, ValueError(f"{len(images)} images, {len(labels)} labels"))
    return images.contiguous(), labels


def _damaged(dataset: str, root: str, error: Exception) -> ConfigError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ConfigError(
        f"data.source.root={root}: a file of {dataset} there is truncated or damaged ({reason}); delete it and get it again"
    )


def _downloaded(dataset: str, root: str, train: bool, download: bool, missing: Exception) -> Any:
    if not download:
        raise ConfigError(
            f"data.source.root={root}: {dataset} is not there; get it, or set data.source.download=true"
        ) from None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return getattr(torchvision.datasets, dataset)(root, train=train, download=True)
    except (URLError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else str(missing)
        raise ConfigError(
            f"data.source.root={root}: {dataset} is not there (or damaged) and could not be downloaded ({reason}); "
            "set CONVEXP_DATA to the folder that holds it"
        ) from None
