"""What stands in the folder of somebody who tries the commands of the documents: files of their own, runs and a study."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from newcomer import sections
from PIL import Image

MINE = '''"""What the documents call mine: a network, a layer, a task, a callback and a probe."""

from dataclasses import dataclass

from pytorch_lightning import Callback
from torch import nn

from convexp.layers.conv import Conv2d
from convexp.probes import Measurement
from convexp.training.tasks.classification import Classification


class Net(nn.Module):
    def __init__(self, width: int = 8, depth: int = 1, outputs: int = 10):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU())
        self.readout = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs))

    def forward(self, x):
        return self.readout(self.features(x))


Mine = MyNetwork = Net


class Layer(Conv2d):
    pass


class Task(Classification):
    pass


class Stop(Callback):
    pass


@dataclass(frozen=True)
class Probe:
    max_images: int

    def measure(self, network, sample):
        return Measurement({"n": float(len(sample.first(self.max_images)))})
'''
WIRING = "defaults: [skeleton, _self_]\nname: mine\nwiring: {_target_: mine.Layer, _partial_: true}\n"
STUDY = """# @package _global_
# Which one?
defaults: [base, _self_]
study: {name: mine, question: "Which one?", grid: {model: [mine, conv], seed: [0, 1]}, compare: {model: conv}}
"""
OPTIONS = {
    "model/mine.yaml": WIRING,
    "task/mine.yaml": "_target_: mine.Task\n_partial_: true\nmonitor: val/acc\n",
    "callbacks/mine.yaml": "mine: {_target_: mine.Stop}\n",
    "probes/mine.yaml": "mine: {_target_: mine.Probe, max_images: 8}\n",
    "study/mine.yaml": STUDY,
    "data/photos.yaml": "defaults: [image_folder, _self_]\nname: photos\nsource: {root: photos}\nclasses: 3\n",
}
NUMBERS = {"MNIST": (1, 28), "FashionMNIST": (1, 28), "CIFAR10": (3, 32)}  # channels and side of data sets that are drawn


def write_own_files(folder: Path) -> None:
    """Write the modules, and settings of the reader's own into ``folder``."""
    (folder / "mine.py").write_text(MINE)
    (folder / "data").mkdir()
    for name, text in OPTIONS.items():
        (folder / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "conf" / name).write_text(f"# Mine.\n{text}" if not text.startswith("#") else text)


def draw_photos(folder: Path, classes: int) -> None:
    """Draw small images of some classes, ``photos/CLASS/*.png``."""
    rng = np.random.default_rng(0)
    for kind in range(classes):
        (folder / "photos" / str(kind)).mkdir(parents=True)
        for number in range(40):
            Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(folder / "photos" / str(kind) / f"{number}.png")


def write_files_of_page(page: Path, folder: Path) -> dict[str, str]:
    """Write the files that a page shows, and those of the pages beside it if these are a tutorial; return their texts."""
    pages = sorted(page.parent.glob("*.md")) if page.parent.name == "tutorial" else [page]
    files = {block.file: block.text for each in pages for blocks in sections(each).values() for block in blocks if block.file}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return files


def write_packages(site: Path, example: Path) -> None:
    """Install ``mypackage``, a module, and the package in the folder ``example`` into ``site``."""
    information = site / "convexp_example-0.1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: convexp-example\nVersion: 0.1.0\n")
    (information / "entry_points.txt").write_text("[convexp.configs]\nexample = convexp_example.conf\n")
    (site / "convexp_example").symlink_to(example / "convexp_example")
    (site / "mypackage.py").write_text(MINE)


def write_weights(folder: Path) -> None:
    """Write the weights of the networks that the documents measure: ``model.pt`` of a ResNet, ``mine.pt`` of ``mine.Net``."""
    from torchvision.models import resnet18

    torch.save(resnet18(num_classes=10).state_dict(), folder / "model.pt")
    names: dict[str, type[torch.nn.Module]] = {}
    exec(compile(MINE, "mine.py", "exec"), names)
    torch.save(names["Net"](width=64).state_dict(), folder / "mine.pt")


def drawn_part(dataset: str, root: str, download: bool, chosen: dict[str, bool]) -> tuple[torch.Tensor, torch.Tensor, None]:
    """In place of a part of a data set of torchvision: random images of its size, 120 for training and 40 for the test."""
    channels, side = NUMBERS[dataset]
    count, generator = 120 if chosen["train"] else 40, torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, channels, side, side), generator=generator, dtype=torch.uint8)
    return images, torch.arange(count) % 10, None


def put_outputs(words: Iterable[str], folder: Path, runs: Path, study: Path) -> None:
    """Copy a run or a study to every place below ``outputs`` that a command reads.

    Args:
        words: The arguments of the command.
        folder: The folder in which it is called.
        runs: A folder with the runs A and B, which differ in their seeds.
        study: The folder of a finished study.
    """
    for word in words:
        if not word.startswith("hydra.") and (named := re.search(r"outputs(/[\w.*-]+)*$|^runs\d$", word)):
            _put(Path(named[0]), folder, runs, study)


def _put(named: Path, folder: Path, runs: Path, study: Path) -> None:
    match named.parts:
        case ("outputs",):
            _put(Path("outputs/runs/NAME"), folder, runs, study)
            _put(Path("outputs/studies/three_layers"), folder, runs, study)
        case ("outputs", "runs", name):
            shutil.copytree(runs / ("B" if name == "B" else "A"), folder / named, dirs_exist_ok=True)
        case ("outputs", "studies", _, *_):
            shutil.copytree(study, folder / Path(*named.parts[:3]), dirs_exist_ok=True)
        case (name,) if name.startswith("runs"):
            shutil.copytree(runs / ("A" if name == "runs1" else "B"), folder / name / "A")
        case _:
            pass
