"""Configuration: where it is found, what it may say, and what is said when it is wrong. Imports no torch."""

from convexp.config.check import load
from convexp.config.paths import conf_dir
from convexp.config.schema import Config

__all__ = ["Config", "conf_dir", "load"]
