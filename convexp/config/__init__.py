"""Configuration: where it is found, how it is composed and checked, and what a user reads when it is wrong. Imports no torch.

- ``compose`` and ``load`` lead from YAML files and overrides to a checked ``Config``.
- ``schema`` holds every setting with its type and range, ``checks`` the checks beyond these, ``messages`` words errors.
- ``signatures`` reads which arguments a ``_target_`` takes.
- ``command_line`` parses what a user types, ``help`` answers ``--help SETTING``.
- ``hydra_files``, ``run_folder`` and ``trust`` handle the configurations that run folders hold.
"""

from convexp.config.load import check_config, load_config, parse_config
from convexp.config.schema import Config, Evaluation, Probing
from convexp.config.search_path import conf_dir
from convexp.config.trust import parse_trusted_config

__all__ = ["Config", "Evaluation", "Probing", "check_config", "conf_dir", "load_config", "parse_config", "parse_trusted_config"]
