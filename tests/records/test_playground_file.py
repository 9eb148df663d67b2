"""``playground.json`` is read as untrusted data: what is damaged is left out with a sentence, and nothing is raised."""

import base64
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convexp.records.playground import FILE, read_playground, write_playground
from convexp.records.playground_format import Input, Layer, LeftOut, Numbers, Pictures, Playground

NETWORK = Playground(
    version=1,
    input=Input(1, 2, 2, [0.25], [0.5]),
    classes=["0", "1"],
    layers=[Layer(op="flatten", name="readout"), Layer(op="linear", name="head.classes", weight=Numbers(0, [2, 4]))],
    weights=bytes(range(16)),
    images=Pictures([1], b"\0\1\2\xff"),
    content=(2, 2),
)


REPEATED = {"op": "linear", "name": "head.classes", "weight": {"offset": 0, "shape": [2, 4]}}


def test_what_is_written_is_read(tmp_path):
    write_playground(tmp_path, NETWORK)
    assert read_playground(tmp_path) == NETWORK
    spec = json.loads((tmp_path / FILE).read_text())
    assert spec == json.loads(json.dumps(NETWORK.spec()))
    assert spec["images"] == {"label": [1], "data": base64.b64encode(b"\0\1\2\xff").decode()}
    assert spec["layers"][0] == {"op": "flatten", "name": "readout"}
    assert spec["layers"][1]["weight"] == {"offset": 0, "shape": [2, 4]}


def test_what_is_left_out_is_one_printable_line(tmp_path):
    write_playground(tmp_path, LeftOut(left_out="too\nlarge\x1b[31m <script>"))
    assert read_playground(tmp_path) == LeftOut(left_out="too large?[31m <script>")


def test_what_is_not_of_the_format_does_not_come_back(tmp_path):
    (tmp_path / FILE).write_text(json.dumps(NETWORK.spec() | {"more": "x" * 1000}))
    assert read_playground(tmp_path) == NETWORK


@pytest.mark.parametrize(
    ("way", "value", "sentence"),
    [
        (("version",), 2, "is of version 2, this convexp reads 1"),
        (("version",), "1", "version: should be a whole number, is text"),
        (("input", "height"), 2**20, "input: has 2,097,152 numbers, at most 65,536 are allowed"),
        (("input", "mean"), [], "input: mean and std should have 1 numbers"),
        (("input", "std"), [0], "std above 0"),
        (("images", "label"), [1, 2], "images: 2 of 4 bytes are 4 bytes"),
        (("images", "label"), [1] * 21, "images.label"),
        (("images", "data"), "%", "images.data"),
        (("weights",), "AAAA", "head.classes: an array ends beyond the 3 bytes of the weights"),
        (("layers",), [REPEATED] * 2, "weights: the arrays overlap"),
        (("weights",), "A" * 2796208, "weights: have 2,097,156 bytes, at most 2,097,152 are allowed"),
        (("layers", 1, "weight", "shape"), [2**20] * 6, "head.classes: an array ends beyond"),
        (("layers", 1, "weight", "offset"), -2, "layers[1].weight.offset"),
        (("layers", 1, "weight", "scale"), -1, "head.classes: a scale should be a finite number above 0"),
        (("layers", 0, "op"), "eval", "layers[0].op"),
        (("layers",), [], "layers"),
        (("classes",), ["x" * 201], "classes[0]"),
        (("content",), [0, 1], "content[0]"),
        (("protocol",), "jump", "protocol"),
    ],
)
def test_damage_is_named(tmp_path, way, value, sentence):
    spec = place = NETWORK.spec()
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    (tmp_path / FILE).write_text(json.dumps(spec))
    found = read_playground(tmp_path)
    assert isinstance(found, LeftOut)
    assert found.left_out.startswith(f"{FILE}: ")
    assert sentence in found.left_out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b'{"version":' * 10**5, "version"),
        (b"[]", "should be a section"),
    ],
)
def test_what_is_no_json_is_left_out(tmp_path, content, sentence):
    (tmp_path / FILE).write_bytes(content)
    assert sentence in read_playground(tmp_path).left_out


def test_missing_large_and_strange_files_are_left_out(tmp_path):
    assert "is missing; convexp-eval run=FOLDER writes it" in read_playground(tmp_path).left_out
    (tmp_path / FILE).write_bytes(b" " * (4 * 2**20 + 1))
    assert "is larger than 4 MiB" in read_playground(tmp_path).left_out
    (tmp_path / FILE).unlink()
    os.mkfifo(tmp_path / FILE)  # reading it would never end
    assert "is missing" in read_playground(tmp_path).left_out


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_raises(tmp_path, data):
    content = bytearray(json.dumps(NETWORK.spec()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    (tmp_path / FILE).write_bytes(content)
    assert isinstance(read_playground(tmp_path), Playground | LeftOut)
