"""What the YAML files say about settings: their comments, their values, and the targets that stand at a place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from convexp.config.help.comments import comments
from convexp.config.instantiate import TARGET
from convexp.config.json_schemas.conf_files import ConfFile

Place = tuple[str, str]  # an argument and its target; or a setting that is none, and an empty text
ANY = "*"  # in place of a name in a section that holds several targets, such as probes.*


@dataclass(frozen=True)
class Known:
    """What the YAML files say.

    Attributes:
        meanings: The comment on each setting.
        values: The value that each setting has where it was found first.
        targets: The targets that were found at each setting that holds one, such as ``optimizer`` or ``data.source``.
    """

    meanings: dict[Place, str] = field(default_factory=dict)
    values: dict[Place, Any] = field(default_factory=dict)
    targets: dict[str, list[str]] = field(default_factory=dict)

    def names_below(self, section: str) -> list[str]:
        """Names of the targets in a section that holds several of them, such as ``probes``."""
        depth = section.count(".") + 1
        return sorted({setting.split(".")[depth] for setting in self.targets if setting.startswith(f"{section}.")})

    def targets_at(self, setting: str) -> list[str]:
        """The targets that were found at ``setting``; at ``probes.*`` those of all probes."""
        section, _, name = setting.rpartition(".")
        if name != ANY:
            return self.targets.get(setting, [])
        below = [self.targets[f"{section}.{each}"] for each in self.names_below(section)]
        return sorted({target for targets in below for target in targets})


def place(setting: str, target: str) -> Place:
    """Where ``Known`` keeps what is said about ``setting``, an argument of ``target`` unless that is empty."""
    return (setting.rpartition(".")[2] if target else setting, target)


def collect(files: Iterable[ConfFile]) -> Known:
    """Gather what ``files`` say; what an earlier file says about a setting stands.

    Studies and experiments say why they change a setting, not what it means: of them only the targets are taken.
    """
    known = Known()
    for file in files:
        said = comments(file.path, file.section)
        for setting, target, value in _settings(file.values, file.section):
            if setting.rpartition(".")[2] == TARGET:
                targets = known.targets.setdefault(setting.rpartition(".")[0], [])
                targets += [value] if value not in targets else []
            if setting.rpartition(".")[2] == TARGET or (file.group and not file.section):
                continue
            known.values.setdefault(place(setting, target), value)
            if said.get(setting):
                known.meanings.setdefault(place(setting, target), said[setting])
    return known


def _settings(values: dict[Any, Any], path: str) -> Iterator[tuple[str, str, Any]]:
    """Every setting below ``path`` with the target that it is an argument of, and its value."""
    target = str(values.get(TARGET, ""))
    for key, value in values.items():
        if not path and key in ("defaults", "hydra"):
            continue
        setting = f"{path}.{key}" if path else str(key)
        yield setting, target, value
        if isinstance(value, dict):
            yield from _settings(value, setting)
