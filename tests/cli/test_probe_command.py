"""convexp-probe: a network by its import path, a checkpoint, a data set, probes."""

import json

import pytest
import torch

NETWORK = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=3, classes=10):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))

def text():
    return "no network"
"""
FEW = ("probes.shift_map.max_shift=1", "probes.shift_map.max_images=50")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A user's folder with a module, which gets a new name in each test: modules are imported once."""
    name = f"own_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    return f"network={name}.Net"


def weights(own, **arguments):
    module = __import__(own.partition("=")[2].partition(".")[0])
    torch.manual_seed(1)
    return module.Net(**arguments).state_dict()


@pytest.mark.e2e
def test_a_users_own_network_from_the_command_line(program, own, tmp_path):
    """As a process of its own, in a folder with the user's module and a checkpoint."""
    prefixed = {f"module.{name}": value for name, value in weights(own, width=4).items()}
    torch.save({"epoch": 3, "state_dict": prefixed}, tmp_path / "model.pt")
    probes = ("probes=[shift_map,equivariance]", "probes.equivariance.max_shift=1", "probes.equivariance.max_images=20")
    done = program("probe", own, "network.width=4", "checkpoint=model.pt", *probes, *FEW, "folder=found", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "shift_map/worst " in done.out
    assert "equivariance/features/full " in done.out
    assert "smallest A on the grid" in done.out
    saved = json.loads((tmp_path / "found" / "shift_map.json").read_text())
    assert saved["numbers"]["n"] == 50
    assert saved["settings"]["max_shift"] == 1
    assert (tmp_path / "found" / "equivariance_error.png").is_file()
    assert not (tmp_path / "outputs").exists()


def test_the_numbers_are_those_of_measuring_in_python(call, own, tmp_path):
    from convexp.data.digits import digits
    from convexp.probes import measure

    torch.save({"model": weights(own)}, tmp_path / "model.pt")
    done = call("probe", own, "checkpoint=model.pt", "data.canvas=null", "mean=0.25", "std=0.5", *FEW,
                "probes=shift_map", "folder=found")  # fmt: skip
    assert done.code == 0, done.err
    module = __import__(own.partition("=")[2].partition(".")[0]).Net()
    module.load_state_dict(weights(own))
    source = digits(test_size=360, split_seed=0)
    images = (source.test_images[:50] / 255 - 0.25) / 0.5
    settings = {"shift_map": {"max_shift": 1, "max_images": 50}}
    found = measure(module, images, source.test_labels[:50], settings, background=-0.5)
    saved = json.loads((tmp_path / "found" / "shift_map.json").read_text())["numbers"]
    for name, value in saved.items():
        if name != "cut":  # of the images before they are normalised
            assert found.numbers[f"shift_map/{name}"] == value


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features.0.weight": None}, "it lacks features.0.weight"),
        ({"other.weight": torch.ones(1)}, None),
        ({"head.more": torch.ones(1)}, "it has head.more"),
        ({"head.bias": torch.ones(3)}, "head.bias has the shape (3,); should have (10,)"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_in_one_line(own, tmp_path, changed, message):
    from convexp.errors import ConfigError
    from convexp.execution.checkpoint_of_module import load_checkpoint

    module = __import__(own.partition("=")[2].partition(".")[0]).Net()
    state = {
        f"net.{name}" if name != "other.weight" else name: v for name, v in (weights(own) | changed).items() if v is not None
    }
    torch.save(state, tmp_path / "model.pt")
    if message is None:  # belongs to something else than the network
        assert load_checkpoint(module, tmp_path / "model.pt", "checkpoint=model.pt") == ["other.weight"]
        return
    with pytest.raises(ConfigError) as error:
        load_checkpoint(module, tmp_path / "model.pt", "checkpoint=model.pt")
    assert str(error.value) == f"checkpoint=model.pt: holds the weights of another network: {message}"


class Harmful:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Harmful(), "cannot be read as weights alone"),
        ({"epoch": 3}, "holds no state dict; its keys are epoch"),
        ([1, 2], "holds no state dict; its type is list"),
    ],
)
def test_a_file_that_holds_no_weights_is_refused_and_not_executed(call, own, tmp_path, content, message):
    torch.save(content, tmp_path / "model.pt")
    done = call("probe", own, "checkpoint=model.pt", "folder=found")
    assert done.code == 2
    assert done.err.startswith(f"convexp-probe: checkpoint=model.pt: {message}")
    assert done.err.count("\n") == 1
    assert "executed" not in done.out
    assert not (tmp_path / "found").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "network: is missing; name a class or a function"),
        (("network=Net",), "network=Net: should be package.module.Name"),
        (("network=no_such_package.Net",), "network=no_such_package.Net: there is no package no_such_package"),
        (("{own}s",), "has no attribute 'Nets'"),
        (("{module}.text",), "network: makes a str; should make a torch.nn"),
        (("{own}", "network.widht=3"), "network.widht: there is no such setting; did you mean width?"),
        (("{own}", "network.classes=7"), "has 7 outputs; should have 10, as data=digits has classes"),
        (("{own}", "checkpoint=nowhere.pt"), "checkpoint=nowhere.pt: there is no such file"),
        (("{own}", "layers=[featurs]"), "there is no module 'featurs'; its children are features, head"),
        (("{own}", "probes=none"), "probes: name at least one"),
        (("{own}", "probes=shift_mop"), "probes=shift_mop: there is no such option"),
        (("{own}", "probes.shift_map.max_shift=99"), "probes.shift_map.max_shift=99: should be between 1 and 15"),
        (("{own}", "mean=[0.5,0.5]"), "mean=[0.5, 0.5]: should be one number, or one for each of the 1 channels"),
        (("{own}", "std=0"), "std=0: should be greater than 0"),
        (("{own}", "channels=0"), "channels=0: should be greater than 0"),
        (("{own}", "batch_size=0"), "batch_size=0: should be greater than 0"),
        (("{own}", "chanels=3"), "chanels: there is no such setting; did you mean channels?"),
        (("{own}", "folder=."), "folder=.: is the folder you are in"),
        (("{own}", "channels=3"), "expected input[1, 3, 16, 16] to have 1 channels"),
        (("network=torchvision.models.resnet18", "network.num_classes=10"), "channels=3 repeats grey images"),
        (("-m", "{own}"), "-m: convexp-probe measures a single network"),
    ],
)
def test_a_wrong_setting_is_one_line_and_writes_nothing(call, own, tmp_path, arguments, message):
    module = own.rpartition(".")[0]
    done = call("probe", *(argument.format(own=own, module=module) for argument in arguments))
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def test_help_tells_how_it_is_used_and_what_each_setting_means(call):
    told = call("probe", "--help")
    assert told.code == 0
    assert (
        "convexp-probe network=torchvision.models.resnet18 network.num_classes=10 checkpoint=model.pt data=cifar10" in told.out
    )
    for setting, words in (
        ("mean", "(pixel / 255 - mean) / std"),
        ("accelerator", "cpu, gpu, mps, auto"),
        ("layers", "the children"),
    ):
        assert words in call("probe", "--help", setting).out
