"""Configurations made from a template are those that Hydra and OmegaConf make of the same overrides, one by one."""

import json

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp.config import conf_dir
from convexp.config.checked_ahead import check_ahead
from convexp.config.hydra_context import hydra_values, set_job_number, without_hydra
from convexp.config.load import check_config, resolve
from convexp.config.schema import Config
from convexp.errors import ConfigError
from convexp.records import identity_hash
from convexp.studies.checking import Checker
from convexp.studies.composer import Composer
from convexp.studies.template import Template, UnsuitableError, is_plain

OWN = """
own:
  scalar: 1
  text: abc
  list: [1, 2]
  same: ${own.scalar}
  again: ${own.same}
  joined: a-${own.scalar}-${own.text}-${seed}
  nested: ${own.${own.pointer}}
  pointer: text
  relative: ${.scalar}
  section: {x: 1, y: "${seed}", deeper: {z: "${own.section.x}"}}
  copy: ${own.section}
  through: ${own.copy.y}
  listed: [0, "${seed}", "${own.text}"]
  number: n${hydra:job.num}
  escaped: \\${seed}
  selected: ${oc.select:own.scalar,3}
  absent: ${oc.select:own.none,${seed}}
  environment: ${oc.env:HOME,x}
"""


@pytest.fixture(scope="module")
def composer():
    """A composer of a sweep, with a section whose values depend on each other in every way."""
    from omegaconf import OmegaConf, open_dict

    with initialize_config_dir(conf_dir(), "app", version_base="1.3"):
        loader = GlobalHydra.instance().hydra.config_loader
        master = loader.load_configuration(
            "train", ["hydra.mode=MULTIRUN", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${hydra.job.num}"], RunMode.MULTIRUN
        )
        compose = loader.load_sweep_config

        def with_own(*arguments):
            cfg = compose(*arguments)
            with open_dict(cfg):
                cfg.own = OmegaConf.create(OWN).own
            return cfg

        with pytest.MonkeyPatch.context() as patch, hydra_values(master.copy()):
            patch.setattr(loader, "load_sweep_config", with_own)
            yield Composer(loader, master)


def one_by_one(composer, number, overrides):
    """What Hydra composes of the overrides, resolved; without the section ``own``, which Hydra does not know."""
    set_job_number(number)
    return resolve(composer.compose(number, overrides))


numbers = st.integers(0, 9)
values = {
    "seed": numbers,
    "optimizer.lr": st.floats(1e-3, 1) | st.just("null"),
    "data.batch_size": numbers,
    "data.train_size": st.sampled_from(["null", 100, 200]),
    "model.channels": st.lists(numbers, min_size=1, max_size=3),
    "model.norm": st.sampled_from(["none", "batch"]),
    "trainer.max_epochs": numbers,
    "name": st.sampled_from(["a", "b", "'${seed}x'", "'x-${model.name}'", "${hydra:job.num}"]),
    "data.source.seed": numbers | st.just("${seed}"),
    "monitor": st.sampled_from(["val/acc", "val/loss"]),
    "task.monitor": st.sampled_from(["val/acc", "val/loss", "null"]),
    "outputs": st.sampled_from(["here", "there"]),
    "own.scalar": numbers | st.floats(0, 1) | st.sampled_from(["null", "true", "text", "'1'", "[1,2]", "{a:1}", "'${seed}'"]),
    "own.text": st.sampled_from(["x", "''", "null", "false", "1.0", "'a b'"]),
    "own.list": st.lists(numbers, max_size=3) | st.just("null"),
    "own.pointer": st.sampled_from(["text", "scalar", "joined"]),
    "own.section": st.sampled_from(["null", "{x:3}", "1"]),
    "own.section.x": numbers | st.sampled_from(["null", "'???'"]),
    "own.section.deeper": st.sampled_from(["null", "5"]),
    "own.copy": st.sampled_from(["null", "7"]),
    "own.copy.y": numbers,
    "own.selected": numbers,
    "own.listed": st.lists(numbers, max_size=2),
    "pythonpath": st.sampled_from(["[a]", "null"]),
    "model": st.sampled_from(["conv", "local"]),
    "augment": st.sampled_from(["none", "flip"]),
    "++own.new": numbers,
    "no.such": numbers,
}


def text(setting, value):
    return f"{setting}={str(value).replace(' ', '') if isinstance(value, list) else value}"


@st.composite
def sweeps(draw, settings=tuple(values)):
    """The overrides of a few runs in which mostly the same settings have other values."""
    names = draw(st.lists(st.sampled_from(sorted(settings)), min_size=1, max_size=4, unique=True))
    return [[text(name, draw(values[name])) for name in names] for _ in range(draw(st.integers(1, 3)))]


def outcome(make):
    try:
        return make()
    except Exception as error:
        return type(error), str(error)


@given(sweeps())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_values_are_those_that_omegaconf_resolves_for_each_run(composer, runs):
    for number, overrides in enumerate(runs):
        found = outcome(lambda: composer.values(number, overrides))  # noqa: B023
        wanted = outcome(lambda: one_by_one(composer, number, overrides))  # noqa: B023
        assert found == wanted
        assert repr(found) == repr(wanted)  # 1 is not True, and the order is the same


OF_HYDRA = {
    "hydra.job.num": numbers,
    "hydra.sweep.subdir": st.sampled_from(["a", "'${hydra:job.override_dirname}'"]),
    "hydra.job.config.override_dirname.kv_sep": st.just("-"),
    "hydra.job.config.override_dirname.exclude_keys": st.just(["seed"]),
    "~probes.consistency": st.just("null"),
    "+more": numbers,
}
KNOWN_TO_HYDRA = [name for name in values if "own." not in name]


@given(sweeps(KNOWN_TO_HYDRA), st.fixed_dictionaries({}, optional=OF_HYDRA))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
def test_configurations_of_a_sweep_are_those_that_hydra_composes_for_each_run(composer, runs, others):
    configs = composer.configs
    for overrides in runs:
        texts = [*(text(*pair) for pair in others.items()), *overrides]
        found = outcome(lambda: OmegaConf.to_container(configs.compose(texts)))  # noqa: B023
        wanted = outcome(lambda: OmegaConf.to_container(configs.loader.load_sweep_config(configs.master, texts)))  # noqa: B023
        assert found == wanted
        assert repr(found) == repr(wanted)


@pytest.mark.parametrize(
    "overrides",
    [
        ["seed=3", "optimizer.lr=0.1"],
        ["model=local", "data.batch_size=7", "own.scalar=2", "own.text=y"],
        ["own.section.x=4", "own.pointer=scalar"],
        ["own.list=[1,2,3]", "name=x"],
    ],
)
def test_what_studies_vary_is_made_from_a_template(composer, monkeypatch, overrides):
    composer.values(0, overrides)
    monkeypatch.setattr(composer, "compose", lambda *_: pytest.fail("composed on its own"))
    assert composer.values(1, overrides)["own"]["number"] == "n1"


@pytest.mark.parametrize("change", [{"outputs": "x"}, {"own.copy.y": 1}, {"own.section": 1, "own.section.x": 2}])
def test_what_a_template_cannot_see_is_refused(composer, change):
    base = without_hydra(composer.configs.base(()))
    with pytest.raises(UnsuitableError):
        Template(base, change)
    assert base == without_hydra(composer.configs.base(()))


def test_a_resolver_that_may_give_something_else_each_time_is_refused(composer):
    base = without_hydra(composer.configs.base(()))
    base.own.text = "${now:%f}"
    with pytest.raises(UnsuitableError):
        Template(base, {"seed": 1})


@pytest.mark.parametrize("value", ["${x}", "???", ["${x}"], {"a": 1}, object()])
def test_what_stands_for_something_else_is_not_plain(value):
    assert not is_plain(value)


plain = ["optimizer.lr", "data.batch_size", "model.channels", "trainer.max_epochs", "seed", "name"]


@given(st.lists(st.fixed_dictionaries({name: values[name] for name in plain}), min_size=2, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
def test_identities_and_errors_are_those_of_each_run_checked_on_its_own(composer, runs):
    checker = Checker()
    for number, run in enumerate(runs):
        overrides = [text(*pair) for pair in run.items()]
        made = {key: value for key, value in composer.values(number, overrides).items() if key != "own"}
        cfg = composer.compose(number, overrides)
        del cfg.own
        assert outcome(lambda: checker.identity(made)) == outcome(lambda: identity_hash(check_ahead(cfg).identity()))  # noqa: B023


@pytest.mark.parametrize("seed", [-1, 2**32, "1", 1.5, True, None])
@pytest.mark.parametrize("order", [1, -1])
def test_a_wrong_seed_is_found_although_its_like_has_been_checked(composer, seed, order):
    made = {key: value for key, value in composer.values(0, []).items() if key != "own"}
    checker = Checker()
    results = {}
    for each in [0, seed][::order]:
        results[str(each)] = outcome(lambda: checker.identity(made | {"seed": each}))  # noqa: B023
    assert results[str(seed)][0] is ConfigError
    assert "seed" in results[str(seed)][1]
    assert isinstance(results["0"], str)


@pytest.mark.parametrize("name", ["a/b", "", "x" * 300, 3, None, "???"])
def test_a_wrong_name_is_found_although_its_like_has_been_checked(composer, name):
    made = {key: value for key, value in composer.values(0, []).items() if key != "own"}
    checker = Checker()
    checker.identity(made)
    with pytest.raises(ConfigError, match="name"):
        checker.identity(made | {"name": name})


def test_no_check_asks_for_seed_or_name(composer):
    """Which is why runs that differ in nothing else are checked once."""

    class Asked(Config):
        def __getattribute__(self, key):
            assert key not in ("seed", "name"), f"a check asks for {key}"
            return super().__getattribute__(key)

    made = {key: value for key, value in composer.values(0, []).items() if key != "own"}
    check_config(Asked.model_validate(json.loads(json.dumps(made))))
