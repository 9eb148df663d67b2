"""The commands of docs/engines.md: each is composed, and its launcher and sweeper take the settings that it gives them."""

import re
import shlex

import pytest
from conftest import ROOT
from hydra import compose, initialize_config_dir
from hydra.core.plugins import Plugins
from hydra.utils import instantiate

from convexp.config import conf_dir

PAGE = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
LINES = [*re.findall(r"`(convexp-train [^`]+)`", PAGE), *re.findall(r"^((?:torchrun|convexp-train) .+)$", PAGE, re.MULTILINE)]
COMMANDS = sorted({line.split("  ")[0] for line in LINES})


def overrides(command):
    words = shlex.split(command)
    after = words.index("convexp.train") if "convexp.train" in words else 0
    return [word for word in words[after + 1 :] if word != "-m"]


def test_there_is_a_command_for_every_engine():
    assert len(COMMANDS) >= 10
    chosen = " ".join(COMMANDS)
    options = {file.stem for file in (ROOT / "conf" / "hydra" / "launcher").glob("*.yaml")} - {"processes"}
    assert all(f"hydra/launcher={option}" in chosen for option in options)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_settings_that_exist(command):
    given = overrides(command)
    searched = [text for text in given if "interval(" in text]
    Plugins.instance()
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        cfg = compose("train", [text for text in given if text not in searched], return_hydra_config=True)
    assert instantiate(cfg.hydra.launcher) is not None
    assert instantiate(cfg.hydra.sweeper) is not None
