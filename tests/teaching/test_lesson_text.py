"""The text, the formulas and the outputs of lessons as HTML."""

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_output

from convexp.errors import ConvexpError
from convexp.teaching.page.code import count_assertions, heading, is_open
from convexp.teaching.page.formulas import mathml
from convexp.teaching.page.markdown import to_html
from convexp.teaching.page.outputs import outputs_html
from convexp.teaching.show import MIME

LETTERS = st.sampled_from(["a", r"\Delta", "12", r"\mathbf{x}", r"\mathrm{ReLU}", "x_{i,j}", r"\sum_{k}", "<"])


@given(st.recursive(LETTERS, lambda part: st.one_of(
    st.builds(r"\frac{{{}}}{{{}}}".format, part, part),
    st.builds("{{{}}}^{{{}}}".format, part, part),
    st.builds("{} + {}".format, part, part),
    st.builds(r"\left( {} \right)".format, part),
)), st.booleans())  # fmt: skip
def test_a_formula_becomes_one_element_without_latex(formula, display):
    element = Xml.fromstring(mathml(formula, display))
    assert element.tag == "math"
    assert element.get("display") == ("block" if display else "inline")
    text = "".join(element.itertext())
    assert "\\" not in text
    assert "{" not in text


@pytest.mark.parametrize("formula", [r"\unknown{x}", r"\frac{1}", "x^", r"\left( x", "a & b", r"\text{a < b}"])
def test_a_formula_that_would_be_shown_wrongly_is_an_error(formula):
    with pytest.raises(ConvexpError, match="cannot be shown as a formula"):
        mathml(formula, False)


def test_equations_are_aligned():
    rows = Xml.fromstring(mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", True)).findall(".//mtr")
    assert [len(row) for row in rows] == [2, 2]


def test_html_of_a_lesson_is_text_but_for_what_can_be_opened():
    html = to_html("<b>bold</b> <script>alert(1)</script>\n\n<div onclick=x>\n\n1 < 2 & 3")
    assert "<b>bold</b> &lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;div onclick=x&gt;" in html
    assert "1 &lt; 2 &amp; 3" in html


@pytest.mark.parametrize(
    "text",
    [
        "<details><summary>Why $n$?</summary>Because of *$x$*.</details>",
        "Question.\n<details><summary>Why $n$?</summary>\n\nBecause of *$x$*.\n\n</details>",
        "1. Question.\n\n   <details>\n   <summary>Why $n$?</summary>\n\n   Because of *$x$*.\n   </details>\n2. Next.",
        "> Quoted.\n>\n> <details><summary>Why $n$?</summary>Because of *$x$*.</details>",
    ],
)
def test_answers_that_can_be_opened_have_formulas(text):
    html = to_html(text).replace("\n", "")
    root = Xml.fromstring(f"<div>{html}</div>")
    (details,) = root.iter("details")
    assert details[0].tag == "summary"
    assert len([*details[0].iter("math")]) == 1
    assert len([*details.iter("em")]) == 1
    assert len([*details.iter("math")]) == 2
    assert "$" not in "".join(root.itertext())
    assert len([*root.iter("li")]) == (2 if text.startswith("1.") else 0)
    assert len([*root.iter("ol")]) == text.startswith("1.")


def test_tables_formulas_and_headings():
    html = to_html("# 1. Title\n\n## Part\n\n| a | b |\n| - | - |\n| $x$ | `$y$` |\n\nIt is $$z$$\n\n$$w$$")
    root = Xml.fromstring(f"<div>{html}</div>")
    assert [each.tag for each in root][:2] == ["h2", "h3"]
    assert len([*root.iter("math")]) == 3
    assert [each.get("display") for each in root.iter("math")] == ["inline", "block", "block"]
    assert [code.text for code in root.iter("code")] == ["$y$"]


def test_outputs_keep_pictures_and_the_end_of_what_a_terminal_would_show():
    cell = new_code_cell("", outputs=[
        new_output("stream", name="stdout", text="\x1b[1mone\x1b[0m <i>\n 10%\r 100%\r"),
        new_output("stream", name="stdout", text="\ntwo\n"),
        new_output("display_data", {MIME: "<figure>drawn</figure>", "text/html": "<p>for notebooks</p>", "text/plain": "alt"}),
        new_output("execute_result", {"text/html": "<script>1</script>", "text/plain": "a table"}, execution_count=1),
    ])  # fmt: skip
    html = outputs_html(cell)
    before, after = html.split("<figure>drawn</figure>")
    assert before.endswith(">one &lt;i&gt;\n 100%\ntwo</pre>")
    assert after.endswith(">a table</pre>")
    assert "script" not in html
    assert "for notebooks" not in html
    assert outputs_html(new_code_cell("")) == ""


def test_what_a_reader_sees_of_code_at_once():
    assert heading("import torch\nimport numpy\n\nn = 3") == "Imports"
    assert heading("import torch\nassert 1") == "Code"
    assert heading("from torch import (\n    nn,\n)\n\nassert 1") == "Imports"
    assert heading("figure, axes = drawing()\nassert 1") == "Code of the picture"
    assert heading("redrawing(1)") == "Code"
    assert is_open("n = 3")
    assert not is_open("\n".join(["n = 3"] * 31))
    assert not is_open("show(figure)")
    assert count_assertions("for i in range(3):\n    assert i\nassert 1\n'assert'") == 2
