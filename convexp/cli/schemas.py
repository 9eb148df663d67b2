"""The command ``convexp-schemas``: editors complete, check and explain the settings in a folder of YAML files."""

import sys
from pathlib import Path

from convexp.cli.arguments import argument_parser
from convexp.config.search_path import conf_dir
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

DESCRIPTION = """\
Let editors complete, check and explain the settings in YAML files.

Writes JSON schemas of all groups into DIR/.schemas, and into each YAML file of DIR the comment that tells editors which one is
its own: '# yaml-language-server: $schema=...'. It is read by YAML language servers, as in VS Code (extension YAML), Neovim and
Emacs, and by JetBrains' editors. What the files in DIR name by _target_, in packages or beside DIR, is described, too.
Call it again for new files, after a change of what they name, and after an update of convexp.
"""
EPILOG = """\
examples:
  convexp-schemas mine                        files that convexp-train --config-dir mine uses
  convexp-schemas src/package/conf            those that a package of yours adds to convexp
"""


@lenient_output()
def main() -> None:
    """Write the schemas of DIR into it, and print what was written."""
    parser = argument_parser("convexp-schemas", DESCRIPTION, EPILOG)
    parser.add_argument("dir", metavar="DIR", nargs="?", help="a folder with groups, such as DIR/study; default: convexp's own")
    given = parser.parse_args()
    try:
        make_schemas(parse_path("DIR", given.dir or conf_dir()))
    except ConvexpError as error:
        console.print_error("convexp-schemas", str(error))
        sys.exit(error.exit_code)


def make_schemas(conf: Path) -> None:
    """Write the schemas of ``conf`` into it, and print what was written.

    Raises:
        ConfigError: if it holds no group, or cannot be written to.
    """
    from convexp.config.importable import make_importable
    from convexp.config.json_schemas.conf_files import groups, read_conf_files
    from convexp.config.json_schemas.write import FOLDER, write_schemas

    if not read_conf_files([conf]):
        raise ConfigError(f"DIR={conf}: holds no YAML files of a group; should have a folder such as {', '.join(groups()[:3])}")
    make_importable([str(conf.absolute().parent)])  # as convexp-train --config-dir does
    try:
        changed = write_schemas(conf)
    except OSError as error:
        raise ConfigError(f"DIR={conf}: the schemas cannot be written there ({error.strerror or error})") from None
    console.out.print(f"written: {conf / FOLDER}; comment added to {len(changed)} files", markup=False)


if __name__ == "__main__":
    main()
