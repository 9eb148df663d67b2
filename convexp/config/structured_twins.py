"""Options of Hydra's own plugins that have the name of one of convexp's: convexp's is meant."""

from pathlib import Path

from hydra.core.config_store import ConfigStore


def drop_structured_twins(conf: Path) -> None:
    """Remove what plugins of Hydra have registered under the name of a file in ``conf/hydra``.

    Hydra would check the file against it, as if it were its schema: ``hydra-optuna-sweeper`` registers a sweeper ``optuna``.

    Args:
        conf: The folder of convexp's configurations.
    """
    registered = ConfigStore.instance().repo.get("hydra", {})
    for file in (conf / "hydra").glob("*/*.yaml"):
        registered.get(file.parent.name, {}).pop(file.name, None)
