"""The commands that the documents show in their blocks of bash, and what the documents say about running them.

A comment of HTML before a block says why its commands cannot be run in a test: ``<!-- needs: gpu -->``. One anywhere in a page,
``<!-- run by: tests/repository/test_six_tasks.py -->``, names the test that runs all of them.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

NEEDS = {  # what a block may need that a test has not
    "gpu": "a GPU, or several",
    "cluster": "a cluster, or several machines",
    "time": "minutes",
    "network": "something from the internet",
    "package": "a package that is not among those of the tests",
    "processes": "several processes of torch, whose start takes longer than a test should",
}
BLOCK = re.compile(r"(?:^<!-- needs: ([\w, ]+) -->\n+)?^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN_BY = re.compile(r"^<!-- run by: (tests/[\w/]+\.py) -->$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Documented:
    """A command that a document shows.

    Attributes:
        document: The document, from the folder of the repository on.
        section: The heading above it.
        text: The command as somebody would type it, in one line and without comments.
        needs: What it needs that a test has not (``NEEDS``).
        run_by: The file of the test that runs all commands of the document; empty if there is none.
    """

    document: str
    section: str
    text: str
    needs: tuple[str, ...]
    run_by: str

    @property
    def words(self) -> list[str]:
        """Its words, without settings of the environment before it."""
        words = shlex.split(self.text, comments=True)
        return words[first_word(words) :]

    @property
    def program(self) -> str:
        """Its first word."""
        return self.words[0]

    @property
    def arguments(self) -> list[str]:
        """Its other words; of ``torchrun ... -m convexp.train ...`` those for convexp."""
        words = self.words
        return words[words.index("convexp.train") + 1 :] if "convexp.train" in words else words[1:]

    def __str__(self) -> str:
        return f"{self.document}: {self.text}"


def documents() -> list[Path]:
    """All documents that tell readers what to do."""
    found = {ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/README.md")}
    return sorted(found)


def documented_commands() -> list[Documented]:
    """The commands in the blocks of all documents."""
    return [command for page in documents() for command in commands_of(page)]


def commands_of(page: Path) -> list[Documented]:
    """The commands in the blocks of a page."""
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix()
    run_by = found[1] if (found := RUN_BY.search(text)) else ""
    commands: list[Documented] = []
    for block in BLOCK.finditer(text):
        needs = tuple(re.findall(r"\w+", block[1] or ""))
        above = HEADING.findall(without_blocks(text[: block.start()]))
        section = above[-1] if above else ""
        commands += [Documented(name, section, line, needs, run_by) for line in lines(block[2])]
    return commands


def without_blocks(text: str) -> str:
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def lines(block: str) -> list[str]:
    """The command lines of a block: continued ones in one, without comments; several in a line, joined by ``&&``, apart."""
    found: list[str] = []
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            typed = " ".join(re.sub(r"(^|\s)#\s.*", "", line).split())
            found += [part.strip() for part in typed.split("&&")]
    return found


def first_word(words: list[str]) -> int:
    """The number of settings of the environment, ``NAME=value``, before the command."""
    return next(number for number, word in enumerate(words) if not re.match(r"[A-Z_]+=", word))


def inline_commands() -> list[Documented]:
    """The commands of convexp that stand between backticks in the texts of all documents."""
    found: list[Documented] = []
    for page in documents():
        text = without_blocks(page.read_text(encoding="utf-8"))
        for typed in re.findall(r"(?<!`)`(convexp-\w+ [^`]+)`(?!`)", text):
            found.append(Documented(page.relative_to(ROOT).as_posix(), "", " ".join(typed.split()), (), ""))
    return found
