"""Configuration: where it is found, what it may say, and what is said when it is wrong. Imports no torch."""

from convexp.config.check import load
from convexp.config.paths import conf_dir
from convexp.config.schema import Config
from convexp.config.trust import check_trusted

__all__ = ["Config", "check_trusted", "conf_dir", "load"]
