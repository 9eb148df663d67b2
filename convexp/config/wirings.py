"""From the section ``model`` to what is known of its wiring without torch."""

import re
from typing import Any

from convexp.config.schema import Config, SkeletonModel, Target
from convexp.geometry.wiring import Wiring, WiringName

KNOWN = re.compile(r"convexp\.layers\.(?:\w+\.)?(Conv|GlobalConv|LocallyConnected|LowRankLocallyConnected|Dense)[123]d")
NAMES: dict[str, WiringName] = {
    "Conv": "conv",
    "GlobalConv": "global_conv",
    "LocallyConnected": "local",
    "LowRankLocallyConnected": "low_rank_local",
    "Dense": "dense",
}


def in_dimensions_of_data(config: Config) -> Config:
    """``config`` with the layer for signals, such as ``Conv1d``, where it names convexp's layer for images and has signals.

    So the options of ``model`` name one layer each (conf/model/), and stand for it in one dimension too.
    """
    model, signals = config.skeleton, len(config.data.image_shape) == 2
    if model is None or not signals or not KNOWN.fullmatch(model.wiring.target) or not model.wiring.target.endswith("2d"):
        return config
    wiring = Target.model_validate(model.wiring.spec() | {"_target_": f"{model.wiring.target[:-2]}1d"})
    return config.model_copy(update={"model": model.model_copy(update={"wiring": wiring})})


def wiring_of(model: SkeletonModel) -> Wiring:
    """The wiring of a skeleton; one from elsewhere is ``unknown``."""
    settings: dict[str, Any] = model.wiring.spec()
    found = KNOWN.fullmatch(model.wiring.target)
    if found is None:
        return Wiring("unknown")
    bias = settings.get("bias", True)
    return Wiring(
        name=NAMES[found[1]],
        groups=settings.get("groups", 1),
        rank=settings.get("rank", 1),
        bias="location" if bias is True else bias,
    )
