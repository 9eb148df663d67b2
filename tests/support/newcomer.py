"""Does what a page of the documents says, as a reader would who copies every block: writes its files and runs its commands."""

import os
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

from documented_commands import first_word, lines
from forked import Forked

BLOCK = re.compile(r"(?:^`([\w./]+)`:?[^\n]*\n+)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

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


@dataclass(frozen=True)
class Newcomer:
    """Somebody in an empty folder who does what blocks of a page say.

    Attributes:
        home: Where the user's key and cache are.
    """

    home: Path

    def follow(self, blocks: list[Block], folder: Path) -> str:
        """Write the files of ``blocks`` into ``folder`` and run their commands there; return what these print."""
        printed: list[str] = []
        for block in blocks:
            if block.file:
                (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "bash":
                printed += [self.run(command, folder) for command in lines(block.text)]
        return "".join(printed)

    def run(self, command: str, folder: Path) -> str:
        """Run one command line, which must succeed; return what it prints. A study is run in one process: the start of more
        takes longer than its networks."""
        words = shlex.split(command, comments=True)
        words += ["hydra.launcher.processes=1"] if any(word.startswith("study=") for word in words) else []
        environment = dict(word.split("=", 1) for word in words[: first_word(words)])
        own = {"CONVEXP_KEY": str(self.home / "key"), "CONVEXP_CACHE": str(self.home / "cache"), "COLUMNS": "200"}
        name, *arguments = words[first_word(words) :]
        target = arguments.pop(0) if name == "python" else COMMANDS[name]
        with (folder / ".output").open("w+") as output:
            variables = {**os.environ, **own, **environment}
            code = Forked(target, arguments, folder, variables, output, output, name=name).wait()
        text = (folder / ".output").read_text(encoding="utf-8")
        assert code == 0, f"{command} ended with {code}:\n{text}"
        return text
