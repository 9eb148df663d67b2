"""Check the settings of a network other than the skeleton, which are beside those of its callable."""

from convexp.config.checks.packages import check_package
from convexp.config.messages.suggestions import suggest
from convexp.config.schema import Config, NetworkModel
from convexp.config.signatures.settable import settable_arguments
from convexp.errors import ConfigError

PACKAGES = {"convexp.models.timm_network.timm_network": "timm"}


def check_network(config: Config) -> None:
    """Check that the network's package is installed, and that its channels and its width fit the images and the budget.

    Raises:
        ConfigError: naming the setting.
    """
    model = config.model
    if not isinstance(model, NetworkModel):
        return
    check_package(f"model ({model.name})", PACKAGES.get(model.network.target))
    _check_channels(model, config.data.image_shape)
    _check_width(model, config.match)


def _check_channels(model: NetworkModel, image_shape: list[int]) -> None:
    wanted, channels = model.input_channels, image_shape[0]
    if wanted not in (None, channels) and channels != 1:
        raise ConfigError(
            f"model.input_channels={wanted}: should be {channels}, as many as the images have, or null; only images of one "
            "channel are repeated"
        )


def _check_width(model: NetworkModel, match: str) -> None:
    name, target = model.width_setting, model.network
    if name is None:
        if match != "units":
            raise ConfigError(
                f"match={match}: needs a width that can be changed; name it, as in model.width_setting=hidden_dim, if an "
                f"argument of {target.target} sets it, or leave out match"
            )
        return
    known, value = settable_arguments("model.network", target.target), target.spec().get(name)
    if known and name not in known and value is None:
        raise ConfigError(f"model.width_setting={name}: {target.target} has no such argument{suggest(name, known)}")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ConfigError(
            f"model.network.{name}={value}: should be a whole number (1 or more), as model.width_setting names it"
        )
