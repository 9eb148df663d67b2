"""The network of a configuration, explained from geometry alone (``convexp-explain``)."""

from convexp.config.checks.geometry import check_geometry, check_layers
from convexp.config.checks.sizes import check_width, check_windows
from convexp.config.checks.targets import check_targets
from convexp.config.schema import Config
from convexp.config.wirings import wiring_of
from convexp.errors import ConfigError
from convexp.geometry.explanation import Explanation, explain
from convexp.geometry.skeleton import Skeleton
from convexp.geometry.width import BudgetError, nearest_width
from convexp.geometry.wiring import Wiring

SHAPING = ("model", "data", "data.image_shape", "data.canvas", "data.classes", "data.permute_pixels", "match", "task")


def shapes_network(setting: str, protocol: str) -> bool:
    """Whether what is explained may change with a setting, or with the option of a group.

    Args:
        setting: The setting or the group.
        protocol: How images are shifted; with ``crop`` the network sees a window that is as large as the shifts allow.
    """
    if setting.startswith("data.shift."):
        return protocol == "crop"
    return setting in SHAPING or setting.startswith(("model.", "task."))


def explain_config(config: Config) -> Explanation:
    """Explain the network that ``config`` describes, at the width that ``match`` asks for.

    Raises:
        ConfigError: if the network is not a skeleton, its settings do not fit the images, their pixels are permuted, or no
            width meets the budget of ``match``. Whether the data can be read is not checked.
    """
    model = config.skeleton
    if model is None:
        raise ConfigError(
            f"model={config.model.name}: is made by model.network; only skeletons are explained, such as model=conv"
        )
    if (seed := config.data.permute_pixels) is not None:
        raise ConfigError(
            f"data.permute_pixels={seed}: what follows from geometry needs pixels where they belong; leave it out"
        )
    for check in (check_targets, check_geometry, check_width, check_windows, check_layers):
        check(config)
    wiring = wiring_of(model)
    skeleton = model.skeleton(config.data.input_shape, config.network_outputs).scaled(model.width)
    return explain(skeleton.scaled(_matched(config.match, skeleton, wiring)), wiring)


def _matched(match: str, skeleton: Skeleton, wiring: Wiring) -> float:
    if match == "units":
        return 1.0

    def count(width: float) -> int:
        total = explain(skeleton.scaled(width), wiring).total
        if total is None:
            raise BudgetError(f"match={match}: what a wiring from elsewhere costs is not known without it; set match=units")
        return total.parameters if match.startswith("params") else total.flops

    try:
        return nearest_width(match, count)
    except BudgetError as error:
        raise ConfigError(str(error)) from None
