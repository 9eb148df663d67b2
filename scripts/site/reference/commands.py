"""The commands: what each prints for ``--help``, and the settings of those that have few."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from reference.markdown import block, code, escape, table
from reference.settings import command_settings

ROOT = Path(__file__).parents[3]
OF_HYDRA = {"convexp-eval": "eval", "convexp-probe": "probe"}  # commands with a configuration of their own
TRAIN = "\nEvery setting: [Settings](../settings.md). Every option of a group: [Options](../options/index.md).\n"

INDEX = """# Commands

Each command prints this for `--help`. Exit codes: 0, all is done; 1, a run or a lesson failed; 2, a setting is wrong; 130,
interrupted.
"""


def commands() -> dict[str, str]:
    """The commands that an installation makes, each with ``module:function``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(sorted(project["scripts"].items()))


def command_pages() -> dict[str, str]:
    """A page for each command, and one that lists them."""
    helped = printed_helps()
    rows = [[f"[{code(name)}]({name}.md)", escape(_summary(name, text))] for name, text in helped.items()]
    pages = {"reference/commands/index.md": f"{INDEX}\n{table(['command', 'what it does'], rows)}\n"}
    return pages | {f"reference/commands/{name}.md": _page(name, text) for name, text in helped.items()}


def printed_helps() -> dict[str, str]:
    """What every command prints for ``--help``, on a terminal of 100 columns."""
    program = [sys.executable, str(Path(__file__).with_name("help_texts.py")), json.dumps(commands())]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _summary(name: str, text: str) -> str:
    """The first sentence that is no usage: of a help of argparse, the paragraph after it."""
    paragraphs = [part for part in text.split("\n\n") if not part.startswith("usage:")]
    first = " ".join(paragraphs[0].split())
    return first.removeprefix(f"{name}: ").partition(f" {name} ")[0]


def _page(name: str, text: str) -> str:
    parts = [f"# {code(name)}", block(text.splitlines())]
    if name == "convexp-train":
        parts.append(TRAIN)
    if name in OF_HYDRA:
        parts += ["## Settings", *(setting.text(level=3) for setting in command_settings(OF_HYDRA[name]))]
    return "\n\n".join(parts) + "\n"
