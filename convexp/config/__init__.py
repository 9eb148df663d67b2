"""Configuration: where it is found, what it may say, and what is said when it is wrong. Imports no torch."""

from convexp.config.check import checked, load, parsed
from convexp.config.paths import conf_dir
from convexp.config.schema import Config
from convexp.config.trust import trusted

__all__ = ["Config", "checked", "conf_dir", "load", "parsed", "trusted"]
