"""Every command that the documents show is run, or says in the document why it is not (tests/support/documented_commands.py).

What is run is run with few images and one epoch. Of a sweep or a study, ``dry_run=true`` composes and checks the runs of one
seed.
"""

import re
import runpy
import shlex
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
from conftest import ROOT, Done
from documented_commands import NEEDS, Documented, documented_commands, inline_commands
from hydra import initialize_config_dir
from hydra.core.plugins import Plugins
from hydra.utils import instantiate
from newcomer import COMMANDS as PROGRAMS
from newcomer import PROJECT
from readers_folder import (
    draw_photos,
    drawn_part,
    put_outputs,
    write_files_of_page,
    write_own_files,
    write_packages,
    write_weights,
)
from reference.help_texts import help_texts
from reference.settings import settings_page
from shared import made_once
from wheels import EXAMPLE

from convexp.cli.lessons import _parser, _split
from convexp.config import conf_dir
from convexp.config.command_line.arrange import arrange_arguments
from convexp.config.command_line.groups import normalize_choice
from convexp.config.command_line.parse import parse_command_line
from convexp.config.options import list_options
from convexp.config.probing import arrange_network
from convexp.config.signatures.signature import read_signature
from convexp.config.sources import _announced, installed_sources
from convexp.studies.grid import apply_overrides
from convexp.teaching.catalogue import all_lessons, choose, lessons_folder

COMMANDS = documented_commands()
RUN_BY = {command.run_by for command in COMMANDS if command.run_by}
HERE = [command for command in COMMANDS if not command.needs and not command.run_by]
LESSONS = "convexp-lessons"
SMALL_RUN = ("trainer.threads=1", "trainer.max_epochs=1", "data.train_size=32", "data.val_size=16", "playground=false")
UNLESS_NAMED = ("trainer=cpu", "logger=csv", "probes=none")
FEW = {"max_images": 8, "max_shift": 1, "pairs": 2, "repeats": 1, "shifted_images": 2, "batch": 8}  # settings of probes
EXTRA = {  # what some commands need besides
    "data=waldo": ["data.source.train=200", "data.source.test=40"],
    "data=stripes": ["data.source.train=200", "data.source.test=40"],
    "model=resnet18": ["match=params:20000"],
    "model=timm": ["data.train_size=16"],
    "trainer.limit_train_batches=0.1": ["data.batch_size=2"],
}
FORM = re.compile(r"(?<![\w.])(?:DIR|RUN|FOLDER|NAME)\b|RUN_A|\.\.\.$")  # of a command that stands for many
WITHIN_TEXTS = [c for c in inline_commands() if c.program in ("convexp-train", "convexp-explain") and not FORM.search(c.text)]
STUDY = ("study=three_layers", "trainer.max_epochs=1", "model.channels=[1,2]", "data.train_size=48", "playground=false")
CONFIGURED = {"convexp-train": "train", "convexp-explain": "train", "convexp-eval": "eval", "convexp-probe": "probe"}
OWN_PROBES = {"none", "mine", "mirror", "mirrored"}
OF_STUDY = ("shift_map", "consistency", "errors")  # its probes


def identifier(command: Documented) -> str:
    return str(command)[:150]


# What a command of the checkout, not of convexp, is: each function says whether it would work.


def make(words: list[str]) -> bool:
    targets = re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return all(word in targets for word in words[1:] if "=" not in word)


def pip(words: list[str]) -> bool:
    asked = [word for word in words[2:] if not word.startswith("-")]
    extras = {extra for word in asked for extra in re.findall(r"[\w-]+", word.partition("[")[2])}
    known = all(extra in PROJECT["optional-dependencies"] for extra in extras)
    return words[1] == "install" and known and all(re.match(r"convexp|\.|examples/|pre-commit", word) for word in asked)


def is_there(words: list[str]) -> bool:
    return (ROOT / words[0]).is_file()


TOOLS = {"make": make, "pip": pip, ".venv/bin/pip": pip, ".ci/run": is_there, "scripts/ott_shifts.sh": is_there}
SHELL = {"cd", "ls", "mkdir"}
MARKED = {"torchrun", "aim", ".venv/bin/pre-commit"}  # allowed only where a document says what they need; not run


def test_there_is_a_way_to_check_every_command():
    assert len(COMMANDS) > 90
    assert {need for command in COMMANDS for need in command.needs} <= set(NEEDS)
    unknown = [str(command) for command in COMMANDS if command.program not in {*PROGRAMS, *TOOLS, *SHELL, *MARKED, "python"}]
    assert unknown == []
    unmarked = [str(command) for command in HERE if command.program in MARKED]
    assert unmarked == [], "say what the block needs: <!-- needs: ... -->"


@pytest.mark.parametrize("file", sorted(RUN_BY))
def test_what_another_test_runs_it_runs_section_by_section(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    for command in COMMANDS:
        if command.run_by == file and command.program not in SHELL:
            assert Path(command.document).stem in text
            one_by_one = 'follow("' in text  # otherwise all sections of the page
            assert not one_by_one or f'"{command.section}"' in text, f"does not follow {command.section} of {command.document}"


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.program in TOOLS], ids=identifier)
def test_a_tool_of_the_checkout_has_what_the_command_names(command):
    assert TOOLS[command.program](command.words)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The runs A and B, trained once."""

    def train(folder):
        from convexp.scripting import train

        for name, seed in (("A", 0), ("B", 1)):
            settings = (*SMALL_RUN, "trainer=cpu", "scheduler=none", "probes=none", f"seed={seed}")
            train(*settings, folder=folder / name, progress=False)

    return made_once(tmp_path_factory, "documented_runs", train)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study three_layers, small, done once."""

    def sweep(folder):
        from convexp.scripting import sweep

        few = [f"probes.{probe}.{key}={FEW[key]}" for probe in OF_STUDY for key in settings_of(probe) if key in FEW]
        sweep(*STUDY, "seed=0", *few, folder=folder / "three_layers", processes=1, progress=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convexp.reporting.charts.draw_charts", lambda report: [])  # they take seconds, and have tests
        return made_once(tmp_path_factory, "documented_study", sweep) / "three_layers"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return made_once(tmp_path_factory, "documented_weights", write_weights)


@pytest.fixture
def reader(call, runs, study, request, tmp_path, monkeypatch):
    """Does what a command says, in a folder with all that the documents speak of."""
    monkeypatch.setenv("CONVEXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CONVEXP_DATA", raising=False)
    monkeypatch.setattr("convexp.data.vision._part", drawn_part)
    monkeypatch.setattr("convexp.reporting.charts.draw_charts", lambda report: [])
    monkeypatch.setattr("convexp.board.server.serve", close_at_once)
    write_own_files(tmp_path)
    write_packages(tmp_path / "site", EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    forget()

    def run(command: Documented):
        files = write_files_of_page(ROOT / command.document, tmp_path)
        if command.program == "python":
            put_outputs(re.findall(r"outputs[\w./]*", files[command.words[1]]), tmp_path, runs, study)
            return run_python(command.words[1])
        if ".pt" in command.text:
            for file in request.getfixturevalue("weights").iterdir():
                (tmp_path / file.name).symlink_to(file)
        if re.search("photos|image_folder|tiles", command.text):
            draw_photos(tmp_path, classes=2 if "tutorial" in command.document else 3)
        put_outputs(command.words, tmp_path, runs, study)
        target = PROGRAMS[command.program].partition(":")[0].rpartition(".")[2]
        with torch.random.fork_rng(devices=[]):
            return call(target, *command.arguments, *added(command))

    yield run
    forget()


def forget() -> None:
    """Forget what was found of packages and modules: other tests may have some of these names, too."""
    for cached in (_announced, installed_sources, normalize_choice, read_signature):
        cached.cache_clear()


def run_python(file: str) -> Done:
    runpy.run_path(file, run_name="__main__")
    return Done(0, "", "")


def close_at_once(root, port):
    raise KeyboardInterrupt


def added(command: Documented) -> list[str]:
    """Settings that make the command quick."""
    words = command.arguments
    if "--help" in words or command.program not in ("convexp-train", "convexp-eval", "convexp-probe"):
        return []
    if command.program != "convexp-train":
        size = ["data.val_size=16"] if command.program == "convexp-probe" else []
        return [*size, *few_images(words, "eval" if command.program == "convexp-eval" else "probe")]
    if is_sweep(words):
        one_seed = [] if "hydra/sweeper=optuna" in words else ["seed=0"]
        return [*one_seed, *([] if "dry_run=true" in words else ["dry_run=true"])]
    if any(word.startswith("resume=") for word in words):
        return ["trainer.max_epochs=2"] if any(word.startswith("trainer.max_epochs") for word in words) else []
    named = {re.split(r"[.=]", word)[0] for word in words}
    chosen = [setting for setting in UNLESS_NAMED if setting.partition("=")[0] not in named]
    extra = [setting for word in words for setting in EXTRA.get(word, [])]
    return [*chosen, *SMALL_RUN, *extra, *(few_images(words, "train") if "probes" in named else [])]


def is_sweep(words: list[str]) -> bool:
    return "-m" in words or any(word.startswith("study=") for word in words)


def few_images(words: list[str], config_name: str) -> list[str]:
    """Settings that let the probes which a command chooses measure few images."""
    named = {name for word in words if word.startswith("probes=") for name in re.findall(r"\w+", word.partition("=")[2])}
    named = named or ({"default"} if config_name != "eval" else set())
    probes = set(list_options("probes")) if "all" in named else named
    probes -= {"all", "default", *OWN_PROBES}
    probes |= {"shift_map", "consistency", "kernels", "accounting"} if "default" in named else set()
    return [f"probes.{name}.{key}={FEW[key]}" for name in sorted(probes) for key in settings_of(name) if key in FEW]


@cache
def settings_of(probe: str) -> dict:
    return yaml.safe_load((ROOT / "conf" / "probes" / f"{probe}.yaml").read_text(encoding="utf-8"))[probe]


TRIED = {  # each once, however many documents show it
    (command.program, *sorted({*command.arguments, *added(command)})): command
    for command in reversed(HERE)
    if command.program in {*PROGRAMS, "python"} - {LESSONS}
}.values()


@pytest.mark.parametrize("command", TRIED, ids=identifier)
def test_a_command_runs_with_few_images(command, reader):
    done = reader(command)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.program == LESSONS], ids=identifier)
def test_a_command_of_lessons_names_lessons_that_exist(command):
    """They are run by tests/teaching."""
    lessons = all_lessons(lessons_folder())
    names, run = _split(_parser(lessons).parse_intermixed_args(command.arguments).given)
    chosen = choose(lessons, names)
    assert run is None or any(lesson.looks_into_a_run() for lesson in chosen)


NOT_HERE = [c for c in COMMANDS if c.needs and (c.program in PROGRAMS or "convexp.train" in c.words)]


@pytest.mark.parametrize("command", NOT_HERE, ids=identifier)
def test_a_command_that_needs_more_than_a_test_has_is_composed_only(command, reader):
    check_settings(command.arguments)


@pytest.mark.parametrize("command", WITHIN_TEXTS, ids=identifier)
def test_a_command_within_a_text_is_composed_only(command, reader):
    check_settings(command.arguments)


def check_settings(words: list[str]) -> None:
    """All settings exist, and the launcher and the sweeper take those that the command gives them."""
    if "model=mine" in words and "--config-dir" not in words:  # of a package
        words = ["--config-dir", "conf", *words]
    line = parse_command_line(words)
    _, constant = apply_overrides([], [text for text in line.overrides if "interval(" not in text])
    folder = ["--config-dir", line.config_dir] if line.config_dir else []
    Plugins.instance()
    cfg = parse_command_line([*folder, *constant]).compose("train")
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        assert instantiate(cfg.hydra.launcher) is not None
        assert instantiate(cfg.hydra.sweeper) is not None


def test_there_is_a_command_for_every_engine():
    chosen = " ".join(str(command) for command in [*COMMANDS, *inline_commands()])
    options = {file.stem for file in (ROOT / "conf" / "hydra" / "launcher").glob("*.yaml")} - {"processes"}
    assert all(f"hydra/launcher={option}" in chosen for option in options)


def examples(text: str) -> list[list[str]]:
    """The commands that a help text shows, as words; what they do stands behind two spaces."""
    lines = [re.split(r"\s{2,}", line.strip())[0] for line in text.splitlines() if re.match(r"\s+convexp-", line)]
    return [shlex.split(line) for line in lines]


def test_the_examples_of_every_help_are_understood(reader, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    said = help_texts(PROGRAMS)
    for name, text in said.items():
        assert examples(text), name
    page = settings_page()
    shown = {tuple(words) for text in said.values() for words in examples(text)}
    shown |= {tuple(command.words) for command in inline_commands() if command.program not in CONFIGURED}
    for program, *words in shown:
        if program in CONFIGURED:
            line = parse_command_line(arrange_network(words) if program == "convexp-probe" else arrange_arguments(words))
            _, constant = apply_overrides([], line.overrides)
            parse_command_line(constant).compose(CONFIGURED[program])
            assert all(list_options(setting) or f"{{ #{setting} }}" in page for setting in line.names)
        else:
            assert all(word in said[program] for word in words if word.startswith("--")), words
