"""Texts of the code and of YAML comments as Markdown: characters that Markdown would take for its own stay what they are."""

import re
from collections.abc import Iterable, Sequence

CODE = re.compile(r"(``.+?``|`[^`]+`)", re.DOTALL)
SPECIAL = set(r"\*_<>&[]{}|$#~^=+!")  # in Markdown and its extensions
ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")


def escape(text: str) -> str:
    """The text as Markdown that reads as it does; code between backticks stays code, and an arXiv number becomes a link."""
    parts = CODE.split(text)
    return "".join(part if number % 2 else _escape_words(part) for number, part in enumerate(parts))


def _escape_words(text: str) -> str:
    plain = "".join(f"&#{ord(character)};" if character in SPECIAL else character for character in text)
    return ARXIV.sub(r"[arXiv \1](https://arxiv.org/abs/\1)", plain)


def code(text: object) -> str:
    """The text as a code span, however many backticks it has."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", str(text))), default=0))
    return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"


def block(lines: Iterable[str], language: str = "text") -> str:
    """A block of code."""
    return "\n".join([f"```{language}", *lines, "```"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown in one line."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def comment(text: str) -> str:
    """A comment of a YAML file, of several lines: those that are indented are commands and tables, the others are prose."""
    found: list[str] = []
    for line in text.splitlines():
        if found and line.startswith("  ") == found[-1].startswith("  "):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return "\n\n".join(_indented(part) if part.startswith("  ") else escape(part) for part in found)


def _indented(part: str) -> str:
    lines = part.splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    return block(line[margin:] for line in lines)
