"""Where the YAML files are."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def conf_dir() -> str:
    """Absolute folder of the configuration: inside the package (a wheel) or beside it (a checkout, an editable install).

    Raises:
        FileNotFoundError: if neither exists, which means that the installation is broken.
    """
    for folder in (PACKAGE / "conf", PACKAGE.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return str(folder)
    raise FileNotFoundError(f"no conf/train.yaml in {PACKAGE} or beside it: reinstall convexp")
