"""What a cell has put out, as HTML: pictures of ``show``, and text."""

from html import escape
from typing import Any

from convexp.teaching.failures import ANSI
from convexp.teaching.show import MIME


def outputs_html(cell: Any) -> str:
    """Return the outputs of a code cell. Texts are escaped, and HTML of others is left out for the text beside it."""
    parts: list[str] = []
    text = ""
    for output in cell.outputs:
        picture = output.get("data", {}).get(MIME)
        if picture is None:
            text += _text(output)
            continue
        parts += [_pre(text), picture]
        text = ""
    return "".join([*parts, _pre(text)])


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return "\n".join(output.traceback) + "\n"
    return str(output.data.get("text/plain", "")) + "\n"


def _pre(text: str) -> str:
    """Text as a terminal would show it in the end: without colours, and with the last state of each progress bar."""
    lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in ANSI.sub("", text).split("\n"))
    shown = "\n".join(lines).strip("\n")
    return f'<pre class="output" tabindex="0" aria-label="Output">{escape(shown)}</pre>' if shown.strip() else ""
