"""The settings of a run: each with its type, its default and what it means, from the JSON schema of the configuration."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from convexp.config.command_line.parse import parse_command_line
from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.json_schemas.conf_files import read_conf_files
from convexp.config.json_schemas.group_schemas import build_schemas
from convexp.config.json_schemas.values import Schema
from convexp.config.options import MULTIPLE_CHOICE
from convexp.config.search_path import conf_dir
from reference.markdown import code, escape
from reference.values import UNKNOWN, accepts_null, describe_default, describe_type, names_target, names_targets, parts, typed

NOT_SETTINGS = ("defaults", "hydra", TARGET, PARTIAL)
ANY = "NAME"  # stands for a name that the user chooses, such as that of a group of parameters

HEAD = """# Settings

Every setting of `convexp-train`, as `convexp-train --help SETTING` explains it: the values that it may have, its default, and
what it means. A setting is given as `SETTING=VALUE`, one that no YAML file has as `+SETTING=VALUE`. The defaults are those of
`convexp-train` without arguments; another option of a group brings its own, and [the options](options/index.md) list what each
class or function takes that a `_target_` names. This page is made from the code.
"""


@dataclass(frozen=True)
class Setting:
    """A setting.

    Attributes:
        name: Its full name, such as ``model.kernel_size``.
        schema: The JSON schema of its values.
        default: The value that it has unless another is given; ``UNKNOWN`` if there is none.
    """

    name: str
    schema: Schema
    default: Any

    def text(self, level: int) -> str:
        """A heading, the type and the default, and what the setting means."""
        heading = f"{'#' * level} {code(self.name)} {{ #{self.name} }}"
        if names_targets(self.schema):
            return f"{heading}\n\n{self._of_target()}"
        kind = describe_type(self.schema)
        line = " \N{MIDDLE DOT} ".join(filter(None, [kind and escape(kind), f"default {describe_default(self.default)}"]))
        return "\n\n".join(filter(None, [heading, line, escape(self.schema.get("description", ""))]))

    def _of_target(self) -> str:
        """What a setting is that names a class or function, or several."""
        group = self.name.partition(".")[0]
        several = "Classes or functions, each under a name of its own" if group in MULTIPLE_CHOICE else "A class or function"
        default = "\N{EN DASH}" if self.default is UNKNOWN else code(f"{group}={typed(chosen_by_default(group))}")
        where = f"see [the options](options/{group}.md)"
        return f"{several}, named by `_target_`, with its arguments: {where} \N{MIDDLE DOT} default {default}"


@cache
def schemas() -> dict[str, Schema]:
    """The JSON schemas of convexp's own YAML files, by file."""
    return build_schemas([Path(conf_dir())])


def chosen_by_default(group: str) -> Any:
    """The option of a group that ``conf/train.yaml`` chooses, or a list of them."""
    (file,) = (file for file in read_conf_files([Path(conf_dir())]) if file.path == Path(conf_dir(), "train.yaml"))
    return next(item[group] for item in file.values["defaults"] if group in item)


def training_settings() -> list[Setting]:
    """All settings of a run, apart from the arguments of what a ``_target_`` names."""
    defaults = _defaults("train")
    return [Setting(name, schema, _default(name, schema, defaults)) for name, schema in _walk(schemas()["train.json"], "")]


def command_settings(config_name: str) -> list[Setting]:
    """The settings of ``convexp-eval`` or ``convexp-probe`` that are not those of a section of a run."""
    defaults, found = _defaults(config_name), schemas()[f"{config_name}.json"]["properties"]
    own = {name: schema for name, schema in found.items() if name not in (*NOT_SETTINGS, "probes", "data")}
    return [Setting(name, schema, defaults.get(name, UNKNOWN)) for name, schema in own.items()]


def settings_page() -> str:
    """The page of all settings of a run: those of no section first, then section by section."""
    found = training_settings()
    sections = list(dict.fromkeys(_section(setting) for setting in found))
    sections.sort(key=lambda section: section != "")
    parts = [HEAD]
    for section in sections:
        parts.append(f"## {f'Section {code(section)}' if section else 'The run'}")
        parts += [setting.text(level=3) for setting in found if _section(setting) == section]
    return "\n\n".join(parts) + "\n"


def _section(setting: Setting) -> str:
    return setting.name.partition(".")[0] if "." in setting.name else ""


def _walk(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every setting below ``path``; a section whose settings are all arguments of its target is one itself."""
    below: dict[str, Schema] = {}
    for part in parts(schema):
        for name, child in part.get("properties", {}).items():
            below.setdefault(name, child)
        others = part.get("additionalProperties")
        if isinstance(others, dict) and _is_section(others) and not names_target(others):
            below[ANY] = others
    settings = {name: child for name, child in below.items() if name not in NOT_SETTINGS}
    if path and (not settings or names_targets(schema)):
        yield path, schema
        return
    for name, child in settings.items():
        yield from _walk(child, f"{path}.{name}" if path else name)


def _is_section(schema: Schema) -> bool:
    return any("properties" in part for part in parts(schema))


def _defaults(config_name: str) -> dict[str, Any]:
    """The values of all settings when no argument is given, not resolved."""
    composed = parse_command_line([]).compose(config_name)
    plain: Any = OmegaConf.to_container(composed, resolve=False)
    return dict(_leaves({key: value for key, value in plain.items() if key != "hydra"}, ""))


def _leaves(values: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and value:
            yield from _leaves(value, name)
        else:
            yield name, value


def _default(name: str, schema: Schema, defaults: dict[str, Any]) -> Any:
    """The value in the default configuration; of a setting that is not in it, that of the schema, or null if it may be null."""
    if name in defaults:
        return defaults[name]
    if below := {setting: value for setting, value in defaults.items() if setting.startswith(f"{name}.")}:
        return below
    return None if accepts_null(schema) else schema.get("default", UNKNOWN)
