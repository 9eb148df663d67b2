"""Groups of parameters that the optimizer treats differently: no weight decay on biases, another rate for the readout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.optim import Optimizer

from convexp.config.schema.optimizer import ParameterGroup
from convexp.training.optimizers import Group, as_groups
from convexp.training.tasks.task import MakeOptimizer

REST = "rest"  # the group of the parameters that no rule chooses


def assign(network: nn.Module, rules: Mapping[str, ParameterGroup]) -> dict[str, list[str]]:
    """Assign each parameter of a network to the first group whose rule chooses it, or to ``rest``.

    A parameter is of kind ``bias`` if the last part of its name is ``bias``, of kind ``norm`` if it belongs to a
    module with ``Norm`` in the name of its class, and of kind ``readout`` if it belongs to the last layer that has parameters.

    Args:
        network: The network.
        rules: The rules by name of their group, in order.

    Returns:
        The names of the parameters by group, ``rest`` first; groups without parameters are left out.

    Raises:
        ValueError: if a rule chooses no parameter.
    """
    kinds = kinds_of(network)
    found: dict[str, list[str]] = {REST: [], **{name: [] for name in rules}}
    for parameter, its in kinds.items():
        group = next((name for name, rule in rules.items() if _chooses(rule, parameter, its)), REST)
        found[group].append(parameter)
    if empty := [name for name in rules if not found[name]]:
        raise ValueError(f"groups.{empty[0]}: chooses no parameter; there are {', '.join(list(kinds)[:6])}, ...")
    return {name: chosen for name, chosen in found.items() if chosen}


def kinds_of(network: nn.Module) -> dict[str, set[str]]:
    """The kinds (bias, norm, readout) of each parameter, by its name."""
    kinds: dict[str, set[str]] = {name: set[str]() for name, _ in network.named_parameters()}
    for name in kinds:
        module, _, own = name.rpartition(".")
        if own == "bias":
            kinds[name].add("bias")
        if "Norm" in type(network.get_submodule(module)).__name__:  # the classes have no base in common
            kinds[name].add("norm")
    last = list(kinds)[-1].rpartition(".")[0] if kinds else ""
    for name in kinds:
        if name.rpartition(".")[0] == last:
            kinds[name].add("readout")
    return kinds


def _chooses(rule: ParameterGroup, parameter: str, kinds: set[str]) -> bool:
    return bool(kinds & {*rule.kinds}) or any(fnmatchcase(parameter, pattern) for pattern in rule.names)


@dataclass(frozen=True)
class GroupedOptimizer:
    """Makes an optimizer with groups of parameters.

    Attributes:
        make: Makes the optimizer from groups.
        network: The network, whose parameters are assigned.
        rules: The rules by name of their group.
    """

    make: MakeOptimizer
    network: nn.Module
    rules: Mapping[str, ParameterGroup]

    def __call__(self, params: Iterable[Any]) -> Optimizer:
        """Make the optimizer of ``params``; those that are not the network's belong to ``rest``."""
        named = dict(self.network.named_parameters())
        group_of = {id(named[name]): group for group, names in assign(self.network, self.rules).items() for name in names}
        groups: dict[str, Group] = {}
        for given in as_groups(params):
            for parameter in given["params"]:
                name = group_of.get(id(parameter), REST)
                overrides = self.rules[name].overrides if name in self.rules else {}
                groups.setdefault(name, given | {"params": []} | overrides)["params"].append(parameter)
        return self.make([groups[name] for name in (REST, *self.rules) if name in groups])
