"""What the tests' commands compose from remembered files is what Hydra composes from the files."""

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from remembered import remember_merged_files

from convexp.config.hydra_context import isolated_hydra


def composed(*overrides, mode=RunMode.RUN):
    """All that Hydra composes, or its complaint."""
    with isolated_hydra("train"):
        loader = GlobalHydra.instance().config_loader()
        try:
            cfg = loader.load_configuration("train", list(overrides), mode, validate_sweep_overrides=False)
        except HydraException as error:
            return str(error)
        return OmegaConf.to_yaml(cfg)


LINES = [
    (),
    ("seed=3",),
    ("model=local", "seed=3", "hydra.run.dir=there"),
    ("study=three_layers", "model=conv,local", "seed=0,1"),
    ("probes=[kernels]", "+augmentation.shift={_target_: builtins.dict}", "~trainer.max_epochs"),
    ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    ("study=paper/neyshabur", "optimizer=sgd", "optimizer.lr=1e-3"),
    ("modle=conv",),
    ("model=convv",),
    ("model=conv", "model.kernel_sise=3"),
    ("+model@other=conv",),
    ("~model", "~nothing"),
    ("trainer={max_epochs: 3}", "data=digits"),
]


@pytest.mark.parametrize("mode", RunMode)
@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_command_line_composes_to_the_same(line, mode, monkeypatch):
    before = composed(*line, mode=mode)
    remember_merged_files(monkeypatch)
    assert composed(*line, mode=mode) == composed(*line, mode=mode) == before


def test_nothing_that_is_done_to_a_configuration_is_remembered(monkeypatch):
    remember_merged_files(monkeypatch)
    before = composed("seed=1")
    assert composed("seed=2") != before
    assert composed("model=local") != before
    assert composed("seed=1") == before


def test_files_are_merged_once(monkeypatch):
    merged = []
    merge = ConfigLoaderImpl._load_single_config
    monkeypatch.setattr(ConfigLoaderImpl, "_load_single_config", lambda *a, **k: merged.append(a) or merge(*a, **k))
    remember_merged_files(monkeypatch)
    composed("model=local", "norm=batch", "seed=1")
    merged.clear()
    composed("model=local", "seed=2", "norm=batch", "optimizer.lr=1")
    assert merged == []
