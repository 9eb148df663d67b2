"""A plugin of Hydra's that has a launcher of the same name as one of convexp's changes nothing."""

import warnings

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from convexp.config import conf_dir


def test_a_launcher_of_a_plugin_does_not_mix_with_one_of_ours():
    theirs = {"_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher", "n_jobs": 7, "backend": None}
    ConfigStore.instance().store("joblib", OmegaConf.create(theirs), group="hydra/launcher", provider="joblib_launcher")
    with warnings.catch_warnings(), initialize_config_dir(conf_dir(), version_base="1.3"):
        warnings.simplefilter("error")  # Hydra warns if it mixes them
        cfg = compose("train", ["hydra/launcher=joblib"], return_hydra_config=True)
    assert cfg.hydra.launcher == {"_target_": "hydra_plugins.convexp_joblib.JoblibLauncher", "n_jobs": -1}
