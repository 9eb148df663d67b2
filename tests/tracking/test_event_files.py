"""Editions of an event file, as TensorBoard's own Python reader sees them, also one that has read an earlier edition."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from convexp.tracking.event_files import editions, write_edition
from convexp.tracking.summaries import scalars

TAG = "x/mean"


def write(folder, values: dict[int, float]) -> bool:
    return write_edition(folder, "test", [(step, scalars({TAG: value})) for step, value in values.items()], 1.0)


def shown(reader: EventAccumulator) -> dict[int, float]:
    reader.Reload()
    return {event.step: event.value for event in reader.Scalars(TAG)}


@pytest.mark.parametrize("later", [{0: 2.0, 2: 4.0}, {0: 2.0, 1: 2.0, 2: 2.0, 5: 7.0}, {3: 1.5}])
def test_a_reader_of_the_first_edition_sees_the_second_in_its_place(tmp_path, later):
    reader = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    write(tmp_path, {0: 1.0, 1: 1.0, 2: 1.0})
    assert shown(reader) == {0: 1.0, 1: 1.0, 2: 1.0}
    assert write(tmp_path, later)
    assert shown(reader) == later
    assert shown(EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})) == later


def sizes(folder) -> dict[int, bool]:
    """Whether each edition has content, by its number."""
    return {int(file.name.split(".")[3]): file.stat().st_size > 0 for file in folder.iterdir()}


def test_one_edition_has_content_and_none_is_written_without_need(tmp_path):
    for value in (1.0, 2.0, 3.0, 4.0, 4.0, 4.0):
        write(tmp_path, {0: value})
    assert sizes(tmp_path) == {3: False, 4: True}
    assert not write(tmp_path, {0: 4.0})


def test_a_reader_goes_on_through_many_editions(tmp_path):
    reader = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    for value in range(1, 6):
        write(tmp_path, {0: float(value)})
        assert shown(reader) == {0: value}


def test_what_a_killed_writer_left_is_tidied(tmp_path):
    """The new edition is complete, and the old one was not emptied yet."""
    write(tmp_path, {0: 1.0})
    first = editions(tmp_path, "test")[0]
    before = first.read_bytes()
    write(tmp_path, {0: 2.0})
    first.write_bytes(before)
    assert not write(tmp_path, {0: 2.0})
    assert sizes(tmp_path) == {1: False, 2: True}


def test_a_link_in_the_place_of_an_edition_is_not_followed(tmp_path):
    folder, other = tmp_path / "folder", tmp_path / "other"
    write(folder, {0: 1.0})
    file = editions(folder, "test")[0]
    other.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(other)
    before = other.read_bytes()
    assert write(folder, {0: 1.0})
    assert other.read_bytes() == before
    assert not any(left.is_symlink() for left in folder.iterdir())
