"""Does what a page of the documents says, as a reader would who copies every block: writes its files and runs its commands."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"(?:^`([\w./]+)`:?[^\n]*\n+)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Runs commands in processes of their own, forked from one that has imported what takes seconds to import.
SERVER = """
import importlib, json, os, runpy, sys
import torch, torchvision, pytorch_lightning, torchmetrics, torch.utils.tensorboard, matplotlib.pyplot, pandas
import convexp.execution.training_run, convexp.execution.reprobe, convexp.execution.setup

commands = json.loads(sys.argv[1])
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(job["cwd"])
        os.environ.update(job["environment"])
        with open(job["output"], "wb") as output:
            os.dup2(output.fileno(), 1), os.dup2(output.fileno(), 2)
        os.close(0)
        sys.path[0:1] = [os.path.abspath(each) for each in job["environment"].get("PYTHONPATH", "").split(":") if each]
        sys.argv = job["arguments"]
        code = 1
        try:
            if sys.argv[0] == "python":
                sys.argv = sys.argv[1:]
                sys.path.insert(0, os.getcwd())
                runpy.run_path(sys.argv[0], run_name="__main__")
            else:
                module, _, main = commands[sys.argv[0]].partition(":")
                getattr(importlib.import_module(module), main)()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = PROJECT["scripts"]  # as an installation makes them: name, and module:function


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes:
        file: The file that the line before it names; empty if it names none.
        language: ``bash``, ``python`` or ``yaml``.
        text: Its content.
    """

    file: str
    language: str
    text: str


def sections(page: Path) -> dict[str, list[Block]]:
    """The blocks below each heading ``## ...`` of a page."""
    parts = re.split(r"^## (.*)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        title: [Block(*found) for found in BLOCK.findall(text)] for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


class Newcomer:
    """Somebody in an empty folder who does what blocks of a page say."""

    def __init__(self, home: Path) -> None:
        """Start the process that runs the commands, with the user's key and cache in ``home``."""
        own = {"CONVEXP_KEY": str(home / "key"), "CONVEXP_CACHE": str(home / "cache"), "COLUMNS": "200"}
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER, json.dumps(COMMANDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **own},
        )

    def follow(self, blocks: list[Block], folder: Path) -> str:
        """Write the files of ``blocks`` into ``folder`` and run their commands there; return what these print."""
        printed: list[str] = []
        for block in blocks:
            if block.file:
                (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "bash":
                printed += [self.run(command, folder) for command in _commands(block.text)]
        return "".join(printed)

    def run(self, command: str, folder: Path) -> str:
        """Run one command line, which must succeed; return what it prints. A study is run in one process: the start of more
        takes longer than its networks."""
        words = shlex.split(command, comments=True)
        words += ["hydra.launcher.processes=1"] if any(word.startswith("study=") for word in words) else []
        environment = dict(word.split("=", 1) for word in words[: _first_word(words)])
        output = folder / ".output"
        job = {"arguments": words[_first_word(words) :], "cwd": str(folder), "environment": environment, "output": str(output)}
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        code, text = self.server.stdout.readline().strip(), output.read_text(encoding="utf-8")
        assert code == "0", f"{command} ended with {code}:\n{text}"
        return text

    def leave(self) -> None:
        """End the process that runs the commands."""
        assert self.server.stdin
        with self.server:
            self.server.stdin.close()


def _commands(text: str) -> list[str]:
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


def _first_word(words: list[str]) -> int:
    """The number of settings of the environment, ``NAME=value``, before the command."""
    return next(number for number, word in enumerate(words) if not re.match(r"[A-Z_]+=", word))
