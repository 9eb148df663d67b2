"""Any network of the package timm, with weights drawn at random."""

from typing import Any

import timm
from torch import nn

REFUSED = ("cache_dir", "checkpoint_path", "features_only", "pretrained", "scriptable")


def timm_network(name: str, input_shape: tuple[int, ...], outputs: int, **settings: Any) -> nn.Module:
    """Return a network of timm with weights drawn at random.

    Nothing is downloaded or read, so that the configuration of a run may come from anybody. A network with timm's trained
    weights is ``_target_: timm.create_model`` with ``pretrained: true``.

    Args:
        name: Name of the network, as ``timm.list_models()`` has it.
        input_shape: Shape of an image, (C, H, W).
        outputs: Number of outputs.
        **settings: Further arguments of the network, such as ``drop_path_rate``: numbers, truth values and lists of them.

    Raises:
        ValueError: If timm has no network of this name, or if a setting is refused.
    """
    if not timm.is_model(name):
        raise ValueError(f"name={name}: timm has no network of this name; timm.list_models() lists them")
    for setting, value in settings.items():
        if setting.startswith(REFUSED) or not _is_plain(value):
            raise ValueError(f"{setting}={value}: is not passed on; numbers, true, false and lists of these are")
    arguments: dict[str, Any] = {"in_chans": input_shape[0], "num_classes": outputs}
    cfg = timm.get_pretrained_cfg(name, allow_unregistered=False)
    if cfg is not None and cfg.fixed_input_size:  # a network of patches, whose positions have weights
        arguments["img_size"] = tuple(input_shape[1:])
    return timm.create_model(name, pretrained=False, **(arguments | settings))


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, list) else isinstance(value, int | float)
