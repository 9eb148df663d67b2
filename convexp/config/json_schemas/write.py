"""Write the JSON schemas of a folder of configurations into it, and into each YAML the comment that names its own."""

import json
import os
from importlib.metadata import version
from pathlib import Path

from convexp import __version__
from convexp.config.json_schemas.conf_files import ConfFile, read_conf_files
from convexp.config.json_schemas.group_schemas import build_schemas
from convexp.config.json_schemas.values import Schema
from convexp.config.options import MODELINE
from convexp.config.sources import installed_sources
from convexp.files.atomic import atomic_write

FOLDER = ".schemas"  # Hydra lists no group of this name, as it holds no YAML
READ = ("torch", "pytorch-lightning")  # packages whose signatures are in the schemas


def schemas_of(conf: Path) -> dict[str, Schema]:
    """The schemas of the files of ``conf``, by the name of the file of each.

    They know all that convexp and installed packages have; those of convexp itself know convexp alone.
    """
    convexp, *packages = [source.folder for source in installed_sources()]
    if conf.resolve() == convexp:
        return build_schemas([conf])
    return build_schemas([*([] if conf.resolve() in packages else [conf]), convexp, *packages])


def write_schemas(conf: Path) -> list[Path]:
    """Write the schemas of the files of ``conf`` into ``conf/.schemas``, and give each file the comment that names its own.

    Returns:
        The YAML files that got the comment.

    Raises:
        OSError: if a file cannot be written.
    """
    (conf / FOLDER).mkdir(exist_ok=True)
    for name, schema in schemas_of(conf).items():
        _write(conf / FOLDER / name, as_text(schema))
    return [file.path for file in read_conf_files([conf]) if _add_comment(file, conf)]


def as_text(schema: Schema) -> str:
    """The content of the file that holds ``schema``, with the versions that it was made with."""
    return json.dumps({"$comment": made_with()} | schema, separators=(",", ":"), ensure_ascii=False) + "\n"


def made_with() -> str:
    """The versions on which the schemas depend, in words."""
    return ", ".join(["made by convexp-schemas " + __version__, *(f"{package} {version(package)}" for package in READ)])


def comment_of(file: ConfFile, conf: Path) -> str:
    """The comment line that tells editors where the schema of ``file``, in the folder ``conf``, is."""
    return MODELINE + Path(os.path.relpath(conf / FOLDER / file.schema, file.path.parent)).as_posix()


def _add_comment(file: ConfFile, conf: Path) -> bool:
    """Put the comment after the lines that Hydra reads (``# @package``), which have to be the first; whether it was missing."""
    lines = file.path.read_text(encoding="utf-8").splitlines(keepends=True)
    comment = comment_of(file, conf) + "\n"
    if comment in lines:
        return False
    rest = [line for line in lines if not line.startswith(MODELINE)]
    head = next((number for number, line in enumerate(rest) if not line.startswith("# @")), len(rest))
    _write(file.path.resolve(), "".join([*rest[:head], comment, *rest[head:]]))  # a link stays a link
    return True


def _write(file: Path, text: str) -> None:
    with atomic_write(file) as path:
        path.write_text(text, encoding="utf-8")
