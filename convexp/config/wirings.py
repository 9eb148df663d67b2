"""From the section ``model`` to what is known of its wiring without torch."""

import re
from typing import Any

from convexp.config.schema import SkeletonModel
from convexp.geometry.wiring import Wiring, WiringName

KNOWN = re.compile(r"convexp\.layers\.(?:\w+\.)?(Conv|GlobalConv|LocallyConnected|LowRankLocallyConnected|Dense)[123]d")
NAMES: dict[str, WiringName] = {
    "Conv": "conv",
    "GlobalConv": "global_conv",
    "LocallyConnected": "local",
    "LowRankLocallyConnected": "low_rank_local",
    "Dense": "dense",
}


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
