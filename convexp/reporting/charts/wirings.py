"""Which wiring a group of runs has, by the names under which colours are known."""

from convexp.config.wirings import NAMES
from convexp.pictures.palette import WIRINGS
from convexp.records.settings import lookup
from convexp.reporting.groups import Group

CLASSES = {f"{layer}{dims}d": wiring for dims in (1, 2, 3) for layer, wiring in NAMES.items()}


def wiring_of(group: Group) -> str:
    """Return the wiring of a group's networks, such as ``conv``; for a network that has none, the name of the model.

    A model of any other name has the wiring whose layer it is made of, so that ``my_conv`` is drawn as ``conv``.
    """
    config = group.runs[0].config if group.runs else {}
    model = str(lookup(config, "model"))
    layer = str(lookup(config, "model.wiring._target_")).rpartition(".")[2]
    return model if model in WIRINGS else CLASSES.get(layer, model)
