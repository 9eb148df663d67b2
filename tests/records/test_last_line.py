"""What a recorded error comes to in one line."""

import traceback

import pytest

from convexp.records.settings import last_line


def raised(message, note=None):
    try:
        raise RuntimeError(message)
    except RuntimeError as error:
        if note:
            error.add_note(note)
        return traceback.format_exc()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (raised("one"), "RuntimeError: one"),
        (raised("sizes differ:\n    a is 3\nb is 4"), "RuntimeError: sizes differ: a is 3 b is 4"),
        (raised("one", "by the way"), "RuntimeError: one by the way"),
        (raised(""), "RuntimeError"),
        ("optimizer.lr=-1: should be 0 or more", "optimizer.lr=-1: should be 0 or more"),
        ("first\nsecond", "second"),
        ("", None),
        (None, None),
    ],
)
def test_a_traceback_comes_to_its_exception_with_all_of_its_message(text, line):
    assert last_line(text) == line


def test_a_long_message_is_shortened():
    found = last_line(raised("\n".join(["word"] * 200)))
    assert len(found) <= 300
    assert found.startswith("RuntimeError: word word")
