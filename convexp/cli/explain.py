"""The command ``convexp-explain``: what is known about a network before it is trained."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from omegaconf import DictConfig, OmegaConf

from convexp.cli.application import errors_in_one_line
from convexp.cli.information import print_information
from convexp.config.command_line.arrange import arrange_arguments
from convexp.config.command_line.parse import CommandLine, parse_command_line
from convexp.config.user_paths import check_working_directory
from convexp.errors import ConfigError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

PROGRAM = "convexp-explain"
HELP = """\
convexp-explain: which shifts a network is exactly equivariant to, and its answer exactly invariant, before it is trained.

  convexp-explain model=conv model.padding_mode=circular model.stride=1 model.pool=aps model.readout=global_avg
  convexp-explain experiment=ott_mnist model=local
  convexp-explain model=conv data.canvas=[40,64] --json          for programs
  convexp-explain --help model.pool                              explain a setting

Takes the groups and settings of convexp-train (convexp-train --help) and prints, layer by layer, output size, receptive field,
stride, parameters and FLOPs; for which shifts, and where, each map is exactly equivariant; for which the answer is exactly
invariant; and why not for more. It follows from geometry alone: no image is read, no weight is made, torch is not imported.
Only skeletons are explained (model=conv, local, dense, ...), not networks that model.network makes.
"""
SWEEPS = ("-m", "--multirun")


@lenient_output()
def main() -> None:
    """Print the explanation of the network that the command line describes."""
    with errors_in_one_line(PROGRAM, "train"):
        check_working_directory()
        arguments = sys.argv[1:] = arrange_arguments(sys.argv[1:])
        line = parse_command_line(arguments)
        if line.help and not line.names:
            console.out.print(HELP, markup=False, end="")
        elif not print_information(PROGRAM, "train", arguments):
            explain_network(arguments)


def explain_network(arguments: Sequence[str]) -> None:
    """Explain the network that the overrides among ``arguments`` describe.

    Raises:
        ConfigError: if a setting is wrong, or the network is none that can be explained.
    """
    from convexp.cli.show_explanation import show_explanation
    from convexp.config.explained import explain_config
    from convexp.config.hydra_context import hydra_values, without_hydra
    from convexp.config.load import parse_config, resolve

    line = parse_command_line(arguments)
    if unknown := [word for word in arguments if word in SWEEPS] or list(line.names):
        raise ConfigError(f"{unknown[0]}: explains one network at a time; give settings, as in model=conv model.stride=1")
    cfg = line.compose("train")
    with hydra_values(cfg):
        _check_chosen(cfg, line)
        config = parse_config(resolve(without_hydra(cfg)))
    explained = explain_config(config)
    if "--json" in arguments:
        facts = {"name": config.model.name, "input_shape": config.data.input_shape, **asdict(explained)}
        console.out.print(json.dumps(facts, default=_ends), markup=False)
    else:
        show_explanation(config, explained)


def _check_chosen(cfg: DictConfig, line: CommandLine) -> None:
    """Check that ``cfg`` describes the network of a run of its study, apart from what the command line chooses.

    Raises:
        ConfigError: naming the settings in which no run is like it, and those of a run.
    """
    from convexp.config.explained import shapes_network
    from convexp.studies.nearest import overrides_left
    from convexp.studies.study import read_study

    study, options = read_study(cfg), cfg.hydra.runtime.choices
    if study is None or "network" in (cfg.get("model") or {}):  # such a network is not explained, whatever its settings
        return

    def value_of(setting: str) -> Any:
        return options[setting] if setting in options else _plain(OmegaConf.select(cfg, setting))

    def matters(setting: str) -> bool:
        return shapes_network(setting, OmegaConf.select(cfg, "data.shift.protocol"))

    if left := overrides_left(study, value_of, line.settings, matters):
        it, one = ("it", "one") if len(left) == 1 else ("them", "those of one run")
        choices = " ".join(f"{setting}={text}" for setting, text in left.items())
        raise ConfigError(f"{', '.join(left)}: the runs of study={options.study} differ in {it}; choose {one}, as in {choices}")


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _ends(units: range) -> list[int]:
    """A range in JSON: its first number, and the one after the last."""
    return [units.start, units.stop]


if __name__ == "__main__":
    main()
