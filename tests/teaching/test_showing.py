"""What ``show`` and ``step_through`` give a plain script, a notebook and the page; and which lesson a name means."""

import base64
import re
import sys
import types
from xml.etree import ElementTree as Xml

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from convexp.teaching import drawing, show, step_through
from convexp.teaching.catalogue import all_lessons, choose, lessons_folder
from convexp.teaching.place import LESSON, lesson_name
from convexp.teaching.show import MIME

LESSONS = all_lessons(ROOT / "scripts" / "lessons")


def pictures(count):
    for number in range(count):
        figure, both = drawing(columns=2, width=2, height=1)
        for axes in both:  # the same pixels twice, as two pictures that agree have
            axes.imshow([[number, 1], [1, 0]])
        yield figure


def parsed(html):
    """HTML as XML, which knows neither elements without an end nor the prefixes of SVG that are always known in a page."""
    return Xml.fromstring(re.sub(r"(<input[^>]*?)( checked)?>", r"\1/>", html.replace("xlink:", "")))


@pytest.fixture
def shown(monkeypatch):
    """What a notebook is given to display; the process takes itself for the kernel of a notebook."""
    outputs = []
    interactive = types.ModuleType("IPython")
    interactive.version_info = (9, 0)  # Matplotlib asks for it, the first time that it draws
    interactive.get_ipython = lambda: "a shell"
    interactive.display = types.ModuleType("IPython.display")
    interactive.display.display = lambda data, raw: outputs.append(data)
    monkeypatch.setitem(sys.modules, "IPython", interactive)
    monkeypatch.setitem(sys.modules, "IPython.display", interactive.display)
    monkeypatch.setenv(LESSON, "03_convolution")
    return outputs


def test_a_script_names_the_files_of_its_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "scripts/lessons/03_convolution.py", raising=False)
    show(next(pictures(1)), alt="A picture", caption="Read it so.")
    step_through(list(pictures(2)), ["first", "second"], alt="Pictures", caption="Step.")
    one, several = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"outputs/lessons/pictures/03_convolution_\d+\.png: Read it so\.", one)
    assert re.fullmatch(r"outputs/lessons/pictures/03_convolution_\d+\.png to 03_convolution_\d+\.png: Step\.", several)
    assert len([*(tmp_path / "outputs/lessons/pictures").iterdir()]) == 6


def test_a_notebook_gets_images_on_white_and_the_page_drawings_with_ids_of_their_own(shown):
    for _ in range(2):
        show(next(pictures(1)), alt='Two < three "pixels"', caption="Read <it> so.")
    one, two = shown
    drawn = parsed(one[MIME])
    assert drawn.find(".//div[@role='img']").get("aria-label") == 'Two < three "pixels"'
    assert drawn.find("figcaption").text == "Read <it> so."
    assert "<image" in one[MIME]
    ids = [re.findall(r'\bid="([^"]+)"', output[MIME]) for output in (one, two)]
    assert ids[0]
    assert len(ids[0]) == len({*ids[0]})
    assert not {*ids[0]} & {*ids[1]}
    assert all(each.startswith("03_convolution_") for each in ids[0])
    (image,) = re.findall(
        r'<img alt="Two &lt; three &quot;pixels&quot;" width="192" src="data:image/svg\+xml;base64,([^"]+)">', one["text/html"]
    )
    svg = base64.b64decode(image).decode()
    assert Xml.fromstring(svg).tag.endswith("svg")
    assert "fill: #ffffff" in svg
    assert one["text/plain"] == 'Two < three "pixels"\nRead <it> so.'


def test_steps_have_a_button_and_a_description_each(shown):
    step_through(list(pictures(3)), ["1", "<2>", "3"], alt="A pixel", caption="Step.")
    fieldset = parsed(shown[0][MIME]).find("fieldset")
    inputs, labels = fieldset.findall("input"), fieldset.findall("label")
    assert [label.get("for") for label in labels] == [each.get("id") for each in inputs]
    assert len({each.get("name") for each in inputs}) == 1
    assert [label.text for label in labels] == ["1", "<2>", "3"]
    assert [each.get("aria-label") for each in fieldset.findall(".//div[@role='img']")] == [
        "1: A pixel",
        "<2>: A pixel",
        "3: A pixel",
    ]
    assert shown[0][MIME].count(" checked") == 1


@pytest.mark.parametrize(("count", "labels"), [(2, ["one"]), (0, [])])
def test_steps_without_their_labels_are_an_error(count, labels):
    with pytest.raises(ValueError, match=r"argument 2 is shorter|no figures"):
        step_through(list(pictures(count)), labels, alt="a", caption="b")


def test_a_notebook_opened_by_hand_is_named_after_its_file(shown, monkeypatch):
    monkeypatch.delenv(LESSON)
    assert lesson_name() == "picture"
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/a student/my lesson.ipynb")
    assert lesson_name() == "my_lesson"


def test_lessons_are_numbered_as_their_titles_say():
    assert [lesson.number for lesson in LESSONS] == list(range(1, len(LESSONS) + 1))
    for lesson in LESSONS:
        assert lesson.text().startswith(f"# %% [markdown]\n# # {lesson.number}. {lesson.title}\n")
    assert lessons_folder() == ROOT / "scripts" / "lessons"


@given(st.data())
def test_any_names_mean_their_lessons_each_once_and_in_order(data):
    meant = data.draw(st.lists(st.sampled_from(LESSONS)))
    forms = ["{0.slug}", "{0.name}", "{0.name}.py", "{0.number}", "{0.number:02}"]
    names = [data.draw(st.sampled_from(forms)).format(lesson) for lesson in meant]
    assert choose(LESSONS, names) == ([lesson for lesson in LESSONS if lesson in meant] if meant else LESSONS)
