"""Where the YAML files of convexp are."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def conf_dir() -> str:
    """Absolute path of the folder ``conf``: in the package (of a wheel) or beside it (in a checkout, an editable install).

    Raises:
        FileNotFoundError: if neither exists, which means that the installation is broken.
    """
    for folder in (PACKAGE / "conf", PACKAGE.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return str(folder)
    raise FileNotFoundError(f"no conf/train.yaml in {PACKAGE} or beside it: reinstall convexp")
