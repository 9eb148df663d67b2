"""Which lessons there are, and which of them somebody means by a name or a number."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.config.messages.suggestions import suggest
from convexp.errors import ConfigError

PACKAGE = Path(__file__).parent
FILE = re.compile(r"(\d+)_(\w+)\.py")
TITLE = re.compile(r"^# # \d+\. (.+)$", re.MULTILINE)
LOOKS_INTO_A_RUN = re.compile(r"\bgiven_run\(")


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        file: Its script, in jupytext's percent format.
        number: Its place among the lessons.
        slug: Its name without the number, such as ``convolution``.
        title: Its heading, without the number.
    """

    file: Path
    number: int
    slug: str
    title: str

    @property
    def name(self) -> str:
        """The name of its files, such as ``03_convolution``."""
        return self.file.stem

    def text(self) -> str:
        """Return the script."""
        return self.file.read_text(encoding="utf-8")

    def looks_into_a_run(self) -> bool:
        """Return whether ``run=DIR`` makes a difference to it."""
        return LOOKS_INTO_A_RUN.search(self.text()) is not None


def lessons_folder() -> Path:
    """Return the folder of the scripts: in the package (of a wheel), or beside it (in a checkout, an editable install).

    Raises:
        FileNotFoundError: If neither exists, which means that the installation is broken.
    """
    for folder in (PACKAGE / "scripts", PACKAGE.parent.parent / "scripts" / "lessons"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no lessons in {PACKAGE} or beside the package: reinstall convexp")


def all_lessons(folder: Path) -> list[Lesson]:
    """Return the lessons of a folder in the order of their numbers; files with other names are none."""
    found = [(file, match) for file in folder.iterdir() if (match := FILE.fullmatch(file.name))]
    return sorted((_lesson(file, match) for file, match in found), key=lambda lesson: lesson.number)


def choose(lessons: Sequence[Lesson], names: Sequence[str]) -> list[Lesson]:
    """Return the lessons that are meant, each once and in their own order; all of them if no name is given.

    Args:
        lessons: Those there are.
        names: ``convolution``, ``03_convolution``, ``03_convolution.py`` or ``3``.

    Raises:
        ConfigError: If a name is none of these.
    """
    meant = {_meant(lessons, name).number for name in names}
    return [lesson for lesson in lessons if not names or lesson.number in meant]


def _lesson(file: Path, match: re.Match[str]) -> Lesson:
    title = TITLE.search(file.read_text(encoding="utf-8"))
    return Lesson(file, int(match[1]), match[2], title[1].strip() if title else match[2].replace("_", " "))


def _meant(lessons: Sequence[Lesson], name: str) -> Lesson:
    asked = name.removesuffix(".py")
    for lesson in lessons:
        if asked in (lesson.slug, lesson.name) or (asked.isdecimal() and int(asked) == lesson.number):
            return lesson
    raise ConfigError(f"{name}: there is no such lesson{suggest(asked, [lesson.slug for lesson in lessons])}")
