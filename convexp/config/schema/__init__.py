"""The schema of the configuration, one file for each section."""

from convexp.config.schema.config import Config
from convexp.config.schema.data import Data, Shift
from convexp.config.schema.evaluation import Evaluation
from convexp.config.schema.model import SkeletonModel
from convexp.config.schema.network import NetworkModel
from convexp.config.schema.optimizer import Optimizer
from convexp.config.schema.probing import Probing
from convexp.config.schema.section import Section, Target
from convexp.config.schema.study import Study
from convexp.config.schema.training import Trainer

__all__ = [
    "Config",
    "Data",
    "Evaluation",
    "NetworkModel",
    "Optimizer",
    "Probing",
    "Section",
    "Shift",
    "SkeletonModel",
    "Study",
    "Target",
    "Trainer",
]
