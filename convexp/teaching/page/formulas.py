"""Formulas of LaTeX as MathML, which browsers show without a script."""

import re
from xml.etree import ElementTree as Xml

from convexp.errors import ConvexpError

MATHML = "http://www.w3.org/1998/Math/MathML"
# How many parts an element has; the converter writes fewer where a formula is not complete.
PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
ENVIRONMENT = re.compile(r"\\(begin|end)\{(?:aligned|align|split)\}")


def mathml(formula: str, display: bool) -> str:
    """Return a formula as an element ``<math>``.

    Args:
        formula: LaTeX, without the dollar signs.
        display: Whether it stands on a line of its own.

    Raises:
        ConvexpError: If it is not complete, or has a command that is not known.
    """
    from latex2mathml.converter import convert

    try:
        converted = convert(ENVIRONMENT.sub(r"\\\1{align*}", formula), display="block" if display else "inline")
        root = Xml.fromstring(converted)
    except Exception as error:  # the converter has many, Xml one for what is no XML
        raise ConvexpError(f"${formula}$: cannot be shown as a formula ({error or type(error).__name__})") from None
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{MATHML}}}")
        if len(element) != PARTS.get(element.tag, len(element)):
            raise ConvexpError(f"${formula}$: cannot be shown as a formula (a part of it is missing)")
        if "\\" in (element.text or ""):
            raise ConvexpError(f"${formula}$: cannot be shown as a formula ({element.text} is not known)")
        if element.tag == "mo" and element.text == "|":  # of an absolute value; without this it has the space of an operator
            element.attrib |= {"lspace": "0", "rspace": "0"}
    return Xml.tostring(root, encoding="unicode", short_empty_elements=False)
