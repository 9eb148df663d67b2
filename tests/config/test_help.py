"""What settings mean and may be: told for every one, completed by the shell, from one source each."""

from pathlib import Path

import pytest
from conftest import ROOT

from convexp import __version__
from convexp.config.command_line.parse import parse_command_line
from convexp.config.help.comments import option_titles
from convexp.config.help.completion import complete
from convexp.config.help.settings import describe_settings
from convexp.config.help.values import complete_values
from convexp.config.signatures.value_types import list_values
from convexp.errors import ConfigError

GROUPS = ("model", "data", "optimizer", "scheduler", "trainer", "logger", "callbacks", "augment")
PLAIN = (
    "seed",
    "match",
    "ema",
    "monitor",
    "monitor_mode",
    "probe_every",
    "compile",
    "only_costs",
    "outputs",
    "resume",
    "on_failure",
    "dry_run",
    "reuse",
    "name",
)


def composed(*overrides):
    return parse_command_line(overrides).compose("train")


@pytest.mark.integration
@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_of_every_option_is_told(group):
    for option in option_titles(composed(), group):
        cfg = composed(f"{group}={option}")
        settings = describe_settings(cfg, "train", group) if cfg[group] is not None else []
        assert [each.setting for each in settings if not each.meaning] == []
        assert [each.setting for each in settings if not each.allowed] == []


def test_every_other_setting_is_told():
    cfg = composed("probes=all")
    for name in (*PLAIN, *(f"probes.{probe}" for probe in cfg.probes)):
        for each in describe_settings(cfg, "train", name):
            if not each.setting.endswith("_target_"):
                assert each.meaning, each
                assert each.allowed, each


@pytest.mark.parametrize(
    ("overrides", "setting", "words"),
    [
        ((), "model.readout", ("flatten, global_avg, global_max", "last stage")),
        (("model=local",), "model.wiring.bias", ("location, channel", "O*H'*W' biases")),
        ((), "seed", ("a whole number (0 or more, below 4294967296)", "0 is a seed")),
        ((), "data.val_size", ("1 or more", "above 0, at most 1", "number or share of the samples")),
        ((), "model.kernel_size", ("a whole number (1 or more), or a list of these", "window")),
        ((), "data.shift.train", ("training images are shifted anew in every epoch",)),
        ((), "optimizer.betas", ("list", "+optimizer.betas")),
        (("optimizer=sgd",), "optimizer.nesterov", ("true or false", "momentum")),
        ((), "hydra.launcher.processes", ("at the same time", "as many as the GPUs hold")),
        ((), "hydra.launcher.runs_per_gpu", ("share a GPU", "how many it holds")),
        ((), "probes.consistency.pairs", ("a whole number", "pairs of shifts")),
    ],
)
def test_a_setting_is_told_with_its_range_and_meaning(overrides, setting, words):
    (told_of,) = describe_settings(composed(*overrides), "train", setting)
    said = f"{told_of.allowed}\n{told_of.meaning}"
    for word in words:
        assert word in said


def test_why_an_argument_of_the_trainer_is_no_setting():
    with pytest.raises(ConfigError, match=r"trainer\.max_time: is no setting; .* clock .* trainer\.max_steps"):
        describe_settings(composed(), "train", "trainer.max_time")


def test_several_chosen_options_are_marked(call):
    done = call("train", "augment=[flip,crop]", "--help", "augment")
    assert done.code == 0, done.err
    assert {line.split()[1] for line in done.out.splitlines() if line.startswith("* ")} == {"flip", "crop"}
    assert "augment.crop.padding=4" in done.out


def test_choices_are_not_told_twice():
    for name in ("model.readout", "model.padding_mode", "trainer.precision", "trainer.profiler", "monitor"):
        (each,) = describe_settings(composed(), "train", name)
        assert " | " not in each.meaning


def test_a_comment_lists_what_the_schema_allows():
    """YAMLs name the choices for those who read them there."""
    for name in ("model.readout", "model.padding_mode", "model.activation", "trainer.precision", "on_failure"):
        comment = next(
            line.partition("# ")[2]
            for file in Path(ROOT, "conf").rglob("*.yaml")
            for line in file.read_text().splitlines()
            if line.startswith(f"{name.rpartition('.')[2]}: ") and " | " in line
        )
        assert {*complete_values(composed(), name)} == {*comment.partition(":")[0].partition(",")[0].split(" | ")}


def test_a_folder_of_ones_own_is_read(tmp_path):
    (tmp_path / "optimizer").mkdir()
    own = "# Mine.\n_target_: torch.optim.SGD\n_partial_: true\nlr: 1.0\nmomentum: 0.5   # half of it\n"
    (tmp_path / "optimizer" / "mine.yaml").write_text(own)
    cfg = parse_command_line(["--config-dir", str(tmp_path), "optimizer=mine"]).compose("train")
    assert option_titles(cfg, "optimizer")["mine"] == "Mine."
    assert describe_settings(cfg, "train", "optimizer.momentum")[0].meaning == "half of it"


def test_what_is_not_there():
    with pytest.raises(ConfigError, match=r"model\.readuot: .*model\.readout"):
        describe_settings(composed(), "train", "model.readuot")


def test_completions_are_choices():
    assert complete_values(composed(), "model.readout") == ["flatten", "global_avg", "global_max"]
    assert complete_values(composed(), "compile") == ["true", "false"]
    assert complete_values(composed(), "trainer.profiler") == ["simple", "advanced", "null"]
    assert complete_values(composed(), "data.batch_size") == []
    assert list_values({"anyOf": [{"enum": [1, False]}, {"type": "null"}]}) == ["1", "false", "null"]


def test_the_command_answers(call, tmp_path):
    done = call("train", "--help", "model.readout", "seed", "model")
    assert done.code == 0
    for words in ("model.readout=flatten", "one of flatten", "seed=0", "* conv", "low_rank_local"):
        assert words in done.out
    assert "where the data lies now" in call("evaluate", "--help", "data_root").out
    wrong = call("train", "--help", "model.readuot")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "--help model.readout" in call("train", "model.readout").err
    for name in ("train", "evaluate"):
        assert call(name, "--version").out.endswith(f" {__version__}\n")
    assert list(tmp_path.iterdir()) == []


def test_the_report_knows_its_version(call):
    assert call("report", "--version").out == f"convexp-report {__version__}\n"


def test_switches_of_hydra_name_no_settings():
    for switch in (["--cfg", "job"], ["-c", "job"], ["-p", "model"], ["-cn", "train"], ["-cd", "conf"], ["-m"], ["-c"]):
        line = parse_command_line([*switch, "seed=1"] if len(switch) > 1 else ["seed=1", *switch])
        assert (line.names, line.overrides, line.help) == ([], ["seed=1"], False)


@pytest.mark.parametrize("name", ["a b", "a(b)", "[a], it's", "a=b"])
def test_a_folder_of_settings_may_have_any_name(tmp_path, name):
    (tmp_path / name / "model").mkdir(parents=True)
    (tmp_path / name / "model" / "mine.yaml").write_text("# Mine.\ndefaults: [conv]\n")
    cfg = parse_command_line(["--config-dir", str(tmp_path / name), "model=mine"]).compose("train")
    assert option_titles(cfg, "model")["mine"] == "Mine."


OWN_CONF = {
    "model/mine.yaml": "# Mine.\ndefaults: [conv, _self_]\nwiring: {own: 1.0}\n",
    "probes/mirror.yaml": "mirror: {_target_: mine.Mirror}\n",
    "paper/one.yaml": "x: 1\n",
}


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("model=mi", ["model=mine"]),
        ("model=conv,mi", ["model=conv,mine"]),
        ("probes=[shift_map,mir", ["probes=[shift_map,mirror"]),
        ("+paper=", ["+paper=one"]),
        ("pap", ["paper="]),
        ("model=mine model.wiring.", ["model.wiring.own="]),
        ("model.rea", ["model.readout="]),
        ("model.readout=fl", ["model.readout=flatten"]),
        ("train", ["trainer.", "trainer="]),
        ("--he", []),
        ("model=nothing mo", []),
    ],
)
def test_what_is_in_a_folder_on_the_line_is_completed(tmp_path, word, words):
    for file, text in OWN_CONF.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    assert complete(f"convexp-train --config-dir {tmp_path} {word}", "train") == words


def test_values_of_evaluation_are_completed():
    assert complete("convexp-eval mean_of=", "eval") == ["mean_of=outputs", "mean_of=probabilities"]
    assert complete("convexp-eval ensemble=t", "eval") == ["ensemble=true"]
