"""The table of the groups for a paper: LaTeX with booktabs."""

from convexp.reporting.render.table import Rows

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",  # \textquotedbl asks for another encoding than the usual one
    "[": "{[}",  # after \\ it would begin an option
    "]": "{]}",
    "±": r"$\pm$",
    "−": "$-$",
    "—": "---",
    "–": "--",
}


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(SPECIAL.get(character, character) for character in text)


def latex(table: Rows, note: str) -> str:
    r"""A ``tabular``, to be taken in with ``\input`` after ``\usepackage{booktabs}``; ``note`` stands above it as a comment."""
    header, *body = [" & ".join(map(escaped, row)) + r" \\" for row in table]
    said = [f"% {line}" for line in note.splitlines()]
    columns = "l" + "r" * (len(table[0]) - 1)
    return "\n".join(
        [
            *said,
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            header,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )
