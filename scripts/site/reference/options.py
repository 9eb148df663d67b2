"""The options of every group: what the head of each YAML file says, and what the class or function takes that it names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.json_schemas.conf_files import ConfFile, read_conf_files
from convexp.config.json_schemas.values import Schema
from convexp.config.options import MULTIPLE_CHOICE, description, is_option, title
from convexp.config.search_path import conf_dir
from reference.markdown import block, code, comment, escape, table
from reference.settings import schemas
from reference.values import UNKNOWN, describe_default, describe_type, parts

INDEX = """# Options

A group is chosen by `GROUP=OPTION`, as in `model=local`; of some groups several options may be chosen, as in
`probes=[shift_map,equivariance]`. `convexp-train --help GROUP` lists the options of a group, those of
[your own](../../packages.md) too. These pages are made from the files in `conf/`.
"""


def option_files() -> dict[str, list[ConfFile]]:
    """The options of convexp, by group."""
    found: dict[str, list[ConfFile]] = {}
    for file in read_conf_files([Path(conf_dir())]):
        if file.group and is_option(file.path) and description(file.path):
            found.setdefault(file.group, []).append(file)
    return {group: sorted(files, key=lambda file: file.path.stem) for group, files in sorted(found.items())}


def page_of(group: str) -> str:
    """The name of the page of a group."""
    return f"reference/options/{group.replace('/', '_')}.md"


def options_pages() -> dict[str, str]:
    """A page for each group, and one that lists them."""
    groups = option_files()
    rows = [[f"[{code(group)}]({Path(page_of(group)).name})", _names(files)] for group, files in groups.items()]
    pages = {"reference/options/index.md": f"{INDEX}\n{table(['group', 'options'], rows)}\n"}
    return pages | {page_of(group): _group_page(group, files) for group, files in groups.items()}


def _names(files: list[ConfFile]) -> str:
    return ", ".join(code(file.path.stem) for file in files)


def _group_page(group: str, files: list[ConfFile]) -> str:
    several = f" Several may be chosen: `{group}=[...]`." if group in MULTIPLE_CHOICE else ""
    head = f"# Options of {code(group)}\n\nChosen by `{group}=OPTION`.{several}"
    return "\n\n".join([head, *(_option(group, file) for file in files)]) + "\n"


def _option(group: str, file: ConfFile) -> str:
    name = file.path.stem
    said = [f"## {code(name)} {{ #{name} }}", escape(title(file.path)), comment("\n".join(description(file.path)[1:]))]
    taken = [arguments_table(file, section, target) for section, target in _targets(file.values, file.section)]
    content = block(file.path.read_text(encoding="utf-8").rstrip().splitlines(), "yaml")
    source = f'??? note "conf/{group}/{name}.yaml"\n\n' + "\n".join(f"    {line}".rstrip() for line in content.splitlines())
    return "\n\n".join(filter(None, [*said, *taken, source]))


def _targets(values: dict[Any, Any], path: str) -> Iterator[tuple[str, str]]:
    """Every section of the file that names a class or function, with its name."""
    if isinstance(values.get(TARGET), str) and values[TARGET] != "???":
        yield path, values[TARGET]
    for key, value in values.items():
        if isinstance(value, dict) and key not in ("defaults", "hydra"):
            yield from _targets(value, f"{path}.{key}" if path else str(key))


def arguments_table(file: ConfFile, section: str, target: str) -> str:
    """A table of the arguments of ``target``, which ``file`` names in ``section``; empty if nothing is known of them."""
    found, given = _arguments(section, target), _values_at(file, section)
    rows = [
        [code(name), escape(describe_type(schema)), describe_default(_default(name, schema, given)), escape(_meaning(schema))]
        for name, schema in found.items()
    ]
    if not rows:
        return f"`{section}` is {code(target)}."
    return f"`{section}` is {code(target)}, which takes\n\n{table(['setting', 'values', 'default', 'meaning'], rows)}"


def _arguments(section: str, target: str) -> dict[str, Schema]:
    group, *below = section.split(".")
    file = "_".join(section.split(".")) if group == "hydra" else group
    found: list[Schema] = [schemas()[f"{file}.json"]]
    for name in [] if group == "hydra" else below:
        found = [child for schema in found for part in parts(schema) if (child := part.get("properties", {}).get(name))]
    chosen = [
        conditional["then"]["properties"]
        for schema in found
        for part in parts(schema)
        for conditional in part.get("allOf", [])
        if conditional["if"].get("properties", {}).get(TARGET, {}).get("const") == target
    ]
    return {name: schema for name, schema in (chosen[0] if chosen else {}).items() if name not in (TARGET, PARTIAL, "defaults")}


def _values_at(file: ConfFile, section: str) -> dict[str, Any]:
    values: Any = file.values
    for name in section.removeprefix(file.section).strip(".").split("."):
        values = values[name] if name else values
    return values


def _default(name: str, schema: Schema, given: dict[str, Any]) -> Any:
    return given[name] if name in given else schema.get("default", UNKNOWN)


def _meaning(schema: Schema) -> str:
    return schema.get("description", "").partition("\n\n")[0]
