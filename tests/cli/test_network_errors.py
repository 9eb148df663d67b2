"""Every mistake with a network of a user's own: one line, exit code 2, nothing left behind."""

import pytest


def own(name: str, *overrides: str) -> tuple[str, ...]:
    return ("model=own", f"model.network._target_={name}", *overrides)


MISTAKES = {
    "no network named": (["model=own"], ["model.network._target_", "missing"]),
    "another number of outputs": (own("own_networks.Small", "+model.network.outputs=7"), ["(2, 7)", "(2, 10)"]),
    "images instead of outputs": (own("own_networks.images_back"), ["(2, 1, 16, 16)", "(2, 10)"]),
    "several outputs": (own("own_networks.Several"), ["returns tuple", "(2, 10)"]),
    "no such package": (own("nowhere.Network"), ["model.network", "nowhere.Network", "there is no module nowhere"]),
    "no such name": (own("own_networks.Smal"), ["model.network", "own_networks.Smal"]),
    "a name without a package": (own("Network"), ["model.network._target_=Network", "package.module.Name"]),
    "an argument that it does not take": (own("own_networks.Small", "+model.network.widht=3"), ["model.network", "widht"]),
    "an argument that nobody gives": (own("own_networks.flat"), ["model.network", "inputs"]),
    "no module": (own("own_networks.no_module"), ["model.network", "makes a dict", "Module"]),
    "a class that is none": (own("collections.OrderedDict"), ["model.network._target_=collections.OrderedDict", "Module"]),
    "a setting of the skeleton": (["model=resnet18", "model.channels=[8]"], ["model.channels", "setting of the skeleton"]),
    "a setting of the skeleton, added": (["model=resnet18", "+model.norm=batch"], ["model.norm", "setting of the skeleton"]),
    "wiring and network": (["+model.network._target_=own_networks.Small"], ["model.wiring", "network of its own"]),
    "patches that do not fit": (["model=vit_tiny", "data.canvas=18"], ["model.network", "patch_size=4", "18x18"]),
    "a network of images for signals": (
        own("own_networks.Small", "data.image_shape=[1,64]", "data.canvas=null", "only_costs=true", "probes=none"),
        ["model.network", "fails on images of 1x64"],
    ),
    "a network of colours for grey images": (
        own("torchvision.models.SqueezeNet", "only_costs=true"),
        ["fails on images of 1x16x16", "model.input_channels=3"],
    ),
    "batch norm of one image": (
        own("own_networks.flat", "+model.network.inputs=256", "data.batch_size=1"),
        ["fails on images of 1x16x16", "data.batch_size=2"],
    ),
    "code of its own that fails": (own("own_networks.broken"), ["model.network", "KeyError: 'width' (own_networks.py, line "]),
    "code of its own that fails on images": (
        own("own_networks.Narrow", "only_costs=true"),
        ["fails on images of 1x16x16", "mat1 and mat2 shapes cannot be multiplied", "; own_networks.py, line "],
    ),
    "no such layer": (["model=resnet18", "model.layers=[layer1,layer5]"], ["model.layers=", "layer5", "layer4"]),
    "channels that cannot be repeated": (["model=resnet18", "data.image_shape=[2,8,8]", "model.input_channels=3"], ["=3", "2"]),
    "no channels": (["model=resnet18", "model.input_channels=0"], ["model.input_channels=0"]),
    "a budget without a width": (own("own_networks.Small", "match=params:5000"), ["match=params:5000", "model.width_setting"]),
    "a width that is no argument": (
        ["model=vit_tiny", "model.width_setting=hiden"],
        ["model.width_setting=hiden", "hidden_dim"],
    ),
    "a width that is no number": (
        own("torchvision.models.resnet18", "model.width_setting=weights", "+model.network.weights=x"),
        ["model.network.weights=x", "whole number"],
    ),
    "a budget that is too small": (["model=resnet18", "match=params:3"], ["match=params:3", "even a width of 1"]),
    "no such network of timm": (["model=timm", "model.network.name=resnet999"], ["resnet999", "timm.list_models"]),
    "trained weights of timm": (["model=timm", "+model.network.pretrained=true"], ["pretrained=True", "not passed on"]),
}


@pytest.mark.integration
@pytest.mark.parametrize(("overrides", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_one_line(call, tmp_path, overrides, words):
    done = call("train", "trainer=cpu", *overrides)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_a_package_that_is_not_installed_is_one_line(call, tmp_path, monkeypatch):
    monkeypatch.setattr("convexp.config.checks.packages.find_spec", lambda name: None)
    done = call("train", "model=timm")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "pip install 'convexp[timm]'" in done.err


@pytest.mark.integration
def test_a_network_of_signals_takes_signals(call):
    signals = ("data.image_shape=[1,64]", "data.canvas=null", "only_costs=true", "probes=none")
    done = call("train", *own("own_networks.signals"), *signals)
    assert done.code == 0, done.err
