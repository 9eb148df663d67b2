"""The table of groups for a paper: LaTeX with booktabs (summary.tex)."""

from convexp.reporting.render.rows import Rows

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
    '"': r"{\char34}",  # \textquotedbl needs another font encoding
    "[": "{[}",  # after \\ it would begin an optional argument
    "]": "{]}",
    "±": r"$\pm$",
    "−": "$-$",
    "—": "---",
    "–": "--",
}


def escape(text: str) -> str:
    """Return text that LaTeX prints unchanged."""
    return "".join(SPECIAL.get(character, character) for character in text)


def latex(rows: Rows, comment: str) -> str:
    r"""Return a ``tabular`` for ``\input``, which needs ``\usepackage{booktabs}``.

    Args:
        rows: The header and the body.
        comment: Text that stands above the table as a comment of LaTeX.
    """
    header, *body = [" & ".join(map(escape, row)) + r" \\" for row in rows]
    comment_lines = [f"% {line}" for line in comment.splitlines()]
    columns = "l" + "r" * (len(rows[0]) - 1)
    return "\n".join(
        [
            *comment_lines,
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
