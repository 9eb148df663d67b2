"""A configuration is checked once on its way to a run, and composed no more often than needed."""

import pytest
from conftest import SMALL
from hydra._internal.config_loader_impl import ConfigLoaderImpl

from convexp.cli import run
from convexp.config import load
from convexp.config.checked_ahead import check_ahead, forget_checked_configs, load_checked_config
from convexp.config.command_line.parse import CommandLine, parse_command_line
from convexp.config.hydra_context import without_hydra
from convexp.errors import ConvexpError

COUNT = (*SMALL, "only_costs=true")
HYDRAS_OWN = 2  # to find out whether it is a sweep, and to run


@pytest.fixture
def calls(monkeypatch):
    """How often a function was called since the fixture was made."""

    def count(owner, name):
        made, function = [], getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, **k: (made.append(name), function(*a, **k))[1])
        return made

    return count


def test_a_single_run_is_checked_once(call, calls):
    made = calls(load, "check_config")
    assert call("train", *COUNT).code == 0
    assert len(made) == 1


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_runs_of_a_sweep_are_checked_once_in_the_process_that_plans_them_whatever_the_seed(call, calls, seeds):
    made = calls(load, "check_config")
    grid = ["model=conv,local", f"seed={','.join(map(str, range(seeds)))}"]
    done = call("train", "-m", *COUNT, *grid, "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    assert len(made) == 2


@pytest.mark.parametrize(("overrides", "defaults"), [([], 0), (["seed=1"], 1), (["model=local"], 2)])
def test_the_defaults_are_composed_only_to_compare_with_them(call, calls, monkeypatch, overrides, defaults):
    def stop(*_):
        raise ConvexpError("enough")

    monkeypatch.setattr(run, "set_up", stop)
    monkeypatch.setattr("convexp.config.differences.CommandLine", CommandLine)  # not the one that remembers, of the tests
    made = calls(ConfigLoaderImpl, "load_configuration")
    assert call("train", *overrides).err == "convexp-train: enough\n"
    assert len(made) == HYDRAS_OWN + defaults


def test_only_the_same_values_count_as_checked(calls):
    forget_checked_configs()  # those of other tests
    made = calls(load, "check_config")
    cfg, other = (without_hydra(parse_command_line([f"seed={seed}"]).compose("train")) for seed in (0, 1))
    config = check_ahead(cfg.copy())
    assert load_checked_config(other).seed == 1
    assert load_checked_config(cfg.copy()) is config
    assert len(made) == 2
    assert load_checked_config(cfg.copy()) == config  # it is handed out once
    assert len(made) == 3
    check_ahead(cfg.copy())
    forget_checked_configs()
    load_checked_config(cfg.copy())
    assert len(made) == 5
