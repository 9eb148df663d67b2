"""convexp-probe: measure any trained network, given by its import path and a checkpoint."""

import sys

from omegaconf import DictConfig

from convexp.cli.application import application
from convexp.config.probing import arrange_network, load_probing
from convexp.terminal import console


def task(cfg: DictConfig) -> None:
    """Measure the network of ``cfg`` with the probes of ``cfg``.

    Raises:
        ConfigError: If a setting is wrong, or the network does not fit its checkpoint or the images.
    """
    config = load_probing(cfg)
    with console.status("loading torch"):  # torch and Lightning take seconds to import
        from convexp.execution.probe_module import probe_module
        from convexp.execution.torch_setup import silence_lightning

    silence_lightning()
    probe_module(config)


run = application("convexp-probe", "probe", task)


def main() -> None:
    """Run the command, after bringing ``network=NAME`` and its arguments into Hydra's syntax."""
    sys.argv[1:] = arrange_network(sys.argv[1:])
    run()


if __name__ == "__main__":
    main()
