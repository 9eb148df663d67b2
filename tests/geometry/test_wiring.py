"""What is known of a wiring without torch agrees with the layers."""

import pytest

from convexp.config.compose import compose_config
from convexp.config.wirings import wiring_of
from convexp.errors import ConfigError
from convexp.execution.network_plan import plan_network
from convexp.geometry.wiring import check_wiring


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["model=global_conv", "model.padding_mode=reflect"], "padding_mode=reflect: a global convolution has zeros or"),
        (["model=global_conv", "model.padding=5"], "padding=5: is at most 2 here"),
        (["model=global_conv", "model.padding=5", "model.padding_mode=circular"], None),
        (["+model.wiring.groups=3"], "groups=3: should divide in_channels=1 and out_channels=16"),
        (["model=local", "+model.wiring.groups=0"], "groups=0: should be 1 or more"),
        (["model=low_rank_local", "model.wiring.rank=0"], "rank=0: should be 1 or more"),
        (["model=local"], None),
    ],
)
def test_a_layer_that_cannot_be_made_is_told_as_the_layer_tells_it(overrides, said, monkeypatch):
    monkeypatch.setattr("convexp.config.load.check_layers", lambda config: None)
    config = compose_config(*overrides)
    model = config.skeleton
    skeleton = model.skeleton(config.data.input_shape, config.network_outputs)
    if said is None:
        check_wiring(wiring_of(model), skeleton)
        plan_network(config).count_layers()
        return
    with pytest.raises(ValueError, match=said) as told:
        check_wiring(wiring_of(model), skeleton)
    with pytest.raises(ConfigError) as made:
        plan_network(config).count_layers()
    assert str(made.value) == f"model ({model.name}): {told.value}"
