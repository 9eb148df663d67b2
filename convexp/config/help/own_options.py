"""The part of ``--help`` that says which options come from elsewhere, and from where."""

from omegaconf import DictConfig, OmegaConf

from convexp.config.options import is_option
from convexp.config.sources import Source, composed_sources

RESOLVER = "convexp.own_options"  # in the template of the help, conf/train.yaml


def register_own_options() -> None:
    """Let the template of the help refer to ``own_options``."""
    OmegaConf.register_new_resolver(RESOLVER, own_options, replace=True)


def own_options(*, _root_: DictConfig) -> str:
    """A heading for every source other than convexp itself, with a line for each group of options in it."""
    sources = [source for source in composed_sources(_root_) if source.name != "convexp"]
    return "\n".join(line for source in sources for line in _describe(source))


def _describe(source: Source) -> list[str]:
    groups: dict[str, list[str]] = {}
    for file in sorted(source.folder.rglob("*.yaml")):
        if file.parent != source.folder and is_option(file):
            groups.setdefault(str(file.parent.relative_to(source.folder)), []).append(file.stem)
    lines = [f"{group}: {', '.join(options)}" for group, options in groups.items()]
    return [f"-- of these from {source.name} --", *lines, ""] if lines else []
