"""The record of a run: what is written is read again, and whatever else stands in the file is refused in one line."""

import json
import tempfile
from pathlib import Path

import pytest
from fabricated_runs import run
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.machine.environment import GitState, Hardware
from convexp.records import RunRecord, RunStatus, read_record, write_record
from convexp.records.damage import DamagedError, NewerError
from convexp.records.decode import RecordDecoder
from convexp.records.record import DataRecord, EpochRecord, LayerRecord, NetworkRecord, OriginRecord, ProbeRecord, Seconds
from convexp.records.record_file import FILE, load_record
from convexp.records.status import WRITTEN

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
finite = st.floats(allow_nan=False, allow_infinity=False)
moderate = st.floats(-1e100, 1e100) | st.integers(-(2**63), 2**63 - 1)
counts = st.integers(0, 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | texts,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(texts, v, max_size=3),
    max_leaves=5,
)
layers = st.builds(LayerRecord, texts, texts, st.lists(counts, max_size=3).map(tuple), counts, counts)
networks = st.builds(
    NetworkRecord,
    parameters=counts,
    flops=counts,
    layers=st.lists(layers, max_size=2).map(tuple),
    width=st.floats(0, 1e100),
    relaxed_parameters=st.none() | counts,
    relaxed_flops=st.none() | counts,
)
data = st.builds(DataRecord, checksum=texts, train=counts, mean=st.lists(finite, max_size=2), notes=st.just({"left_out": {}}))
probes = st.builds(ProbeRecord, skipped=texts) | st.builds(
    ProbeRecord,
    numbers=st.dictionaries(texts, finite, max_size=3),
    maps=st.dictionaries(texts, values, max_size=3),
    seconds=finite,
)
epochs = st.builds(EpochRecord, counts, counts, st.dictionaries(texts, finite, max_size=2))
records = st.builds(
    RunRecord,
    state=st.sampled_from(sorted(WRITTEN)),
    identity=texts,
    name=texts,
    seed=st.integers(0, 2**32),
    config=st.dictionaries(texts, values, max_size=3).map(lambda config: config | {"model": {"name": "conv"}}),
    network=networks,
    data=data,
    metrics=st.dictionaries(texts, moderate, max_size=3),
    probes=st.dictionaries(texts, probes, max_size=2),
    by_epoch=st.none()
    | st.lists(st.builds(EpochRecord, counts, counts, st.dictionaries(texts, finite, max_size=2)), max_size=2),
    versions=st.dictionaries(texts, texts, max_size=2),
    git=st.builds(GitState, commit=st.none() | texts, dirty=st.none() | st.booleans()),
    error=st.none() | texts,
    config_error=st.none() | st.booleans(),
    seconds=st.builds(Seconds, setup=st.none() | st.floats(0, 1e9), total=st.floats(0, 1e9)),
    hardware=st.none() | st.builds(Hardware, cpu=texts, threads=counts),
    taken_over=st.none() | st.builds(OriginRecord, folder=texts, at=texts),
)


@given(records)
@settings(deadline=None, max_examples=100)
def test_what_is_written_is_read(record):
    with tempfile.TemporaryDirectory() as folder:
        write_record(Path(folder), record)
        assert read_record(Path(folder)) == record


def outcome(content, for_report):
    """The status of the record, or what is wrong with it."""
    try:
        return RecordDecoder(for_report).decode(json.dumps(content).encode()).state
    except (DamagedError, NewerError) as error:
        return str(error)


@given(st.dictionaries(st.sampled_from([*run(0), "by_epoch", "mendable", "config_error", "loss"]), values) | values)
@settings(deadline=None, max_examples=300)
def test_any_json_is_read_or_refused_in_one_line(content):
    for changed in (content, run(0) | content if isinstance(content, dict) else content):
        for for_report in (False, True):
            found = outcome(changed, for_report)
            assert found in WRITTEN or len(found.splitlines()) == 1


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_any_bytes_are_refused(content):
    with pytest.raises(DamagedError):
        RecordDecoder().decode(content)


@pytest.mark.parametrize("key", ["mendable", "config_error"])
def test_both_names_of_a_wrong_setting_are_read(tmp_path, key):
    (tmp_path / FILE).write_text(json.dumps({"format": 1, "state": "failed", "error": "lr=-1", key: True}))
    assert read_record(tmp_path) == RunRecord(state=RunStatus.FAILED, error="lr=-1", config_error=True)


def test_classes_that_have_moved_have_their_new_names(tmp_path):
    made = run(0, probes__shift_map={"_target_": "convexp.probes.shift_map.ShiftMap"})
    (tmp_path / FILE).write_text(json.dumps(made))
    for decoder in (RecordDecoder(), RecordDecoder(for_report=True)):
        target = load_record(tmp_path, decoder).config["probes"]["shift_map"]["_target_"]
        assert target == "convexp.probes.behaviour.shift_map.ShiftMap"
