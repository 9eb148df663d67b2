"""The playground's inference in a real browser: as torch's for every setting of the skeleton, and sentences for damage."""

import base64
import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser import watch
from playground_cases import images_for, network_of, pairwise, skeleton_of, spec_of
from torch import Tensor

import convexp.reporting.render.html
from convexp import runs
from convexp.models import Network
from convexp.models.pooling import AdaptivePolyphase
from convexp.records.playground import read_playground

SCRIPT = Path(convexp.reporting.render.html.__file__).parent / "playground" / "network.js"
PROBABILITY, MAP = 1e-2, 5e-3  # largest deviation: of a probability, and of a map relative to its largest number
RUN = """([text, base64]) => {
  const spec = JSON.parse(text), network = new Network(spec);
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const size = spec.input.channels * spec.input.height * spec.input.width, found = [], maps = [];
  for (let at = 0; at < bytes.length; at += size) {
    const answer = network.forward(bytes.subarray(at, at + size));
    found.push(...answer.probabilities);
    maps.push(answer.maps);
  }
  const seen = (k, i, j) => network.receptiveField(k, i, j);
  const coded = (numbers) => {
    const raw = new Uint8Array(Float32Array.from(numbers).buffer);
    let text = "";
    for (const byte of raw) text += String.fromCharCode(byte);
    return btoa(text);
  };
  return {
    probabilities: coded(found),
    maps: network.stages.map((_, k) => coded(maps.flatMap((m) => Array.from(m[k].data)))),
    stages: network.stages.map((s) => [s.channels, s.height, s.width]),
    fields: network.stages.map((s, k) => [seen(k, 0, 0), seen(k, s.height - 1, s.width - 1)]),
  };
}"""


@pytest.fixture(scope="module")
def page(browser):
    """A page that holds the script and, as the report does, allows no other and no request."""
    context = browser.new_context()
    opened, script = context.new_page(), SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'"
    seen = watch(opened)
    opened.set_content(f'<meta http-equiv=Content-Security-Policy content="{policy}"><script>{script}</script>')
    yield opened
    assert not seen.errors
    assert not seen.requests
    context.close()


def run(page, spec, images: Tensor):
    """Probabilities (n, classes), maps (n, C, H, W) of each stage, and the rest."""
    found = page.evaluate(RUN, [json.dumps(spec), base64.b64encode(images.numpy().tobytes()).decode()])
    numbers = [
        torch.from_numpy(np.frombuffer(base64.b64decode(t), "<f4").copy()) for t in (found["probabilities"], *found["maps"])
    ]
    maps = [m.view(len(images), *shape) for m, shape in zip(numbers[1:], found["stages"], strict=True)]
    return numbers[0].view(len(images), -1), maps, found


def decided(network: Network, images: Tensor) -> Tensor:
    """The images of which every adaptive pooling chooses one component clearly: (n,) bool.

    Between two of nearly equal norms rounding decides, in torch as in the page.
    """
    clear = torch.ones(len(images), dtype=torch.bool)

    def look(module: AdaptivePolyphase, inputs: tuple[Tensor], _output: Tensor) -> None:
        x, (a, b) = inputs[0].double(), module.stride
        norms = x.square().unflatten(3, (-1, b)).unflatten(2, (-1, a)).sum((1, 2, 4)).flatten(1)  # (n, a*b)
        if norms.shape[1] > 1:
            first, second = norms.topk(2).values.unbind(1)
            clear.logical_and_(first - second > 5e-3 * first)

    hooks = [m.register_forward_hook(look) for m in network.modules() if isinstance(m, AdaptivePolyphase)]
    network(images)
    for hook in hooks:
        hook.remove()
    return clear


def check_agreement(page, network: Network, spec, images: Tensor, name: object) -> tuple[int, dict[str, Any]]:
    """Compare page and torch; return of how many images the answers can be compared, and what else the page said."""
    found, maps, rest = run(page, spec, images)
    clear = decided(network, images)
    expected, kept = network(images).softmax(1)[clear], found[clear]
    assert (kept - expected).abs().max() <= PROBABILITY, name
    first, second = expected.topk(2).values.unbind(1)
    same = kept.argmax(1) == expected.argmax(1)
    assert bool((same | (first - second <= 2 * PROBABILITY)).all()), name
    for got, want in zip(maps, network.features(images), strict=True):
        assert (got - want)[clear].abs().max() <= MAP * want.abs().max(), name
    sizes = zip(network.skeleton.stages, network.skeleton.sizes()[1:], strict=True)
    assert rest["stages"] == [[stage.channels, *size] for stage, size in sizes]
    return int(clear.sum()), rest


def check_fields(network: Network, wiring: str, rest) -> None:
    """The receptive fields of the first and the last unit are those of the geometry, or the image where a unit sees all."""
    height, width = network.skeleton.input_shape[1:]
    for (first, last), size, fields in zip(
        rest["fields"], network.skeleton.sizes()[1:], network.skeleton.receptive_fields(), strict=True
    ):
        if wiring in ("dense", "global conv", "own"):
            whole = {"top": 0, "left": 0, "bottom": height - 1, "right": width - 1, "wholeImage": True}
            assert first == last == whole
            continue
        rows, columns = fields
        for unit, found in (((0, 0), first), ((size[0] - 1, size[1] - 1), last)):
            top, left = (line.first + i * line.stride for line, i in zip((rows, columns), unit, strict=True))
            bottom, right = top + rows.size - 1, left + columns.size - 1
            assert found == {"top": top, "left": left, "bottom": bottom, "right": right, "wholeImage": False}


@pytest.mark.e2e
@torch.no_grad()
def test_every_two_settings_of_the_skeleton_agree_with_torch(page):
    compared = total = 0
    for chosen, skeleton in pairwise():
        network = network_of(skeleton, chosen["wiring"])
        images = images_for(network, 100)
        count, rest = check_agreement(page, network, spec_of(network), images, chosen)
        check_fields(network, chosen["wiring"], rest)
        compared, total = compared + count, total + len(images)
    plain = network_of(replace(skeleton, stages=(), readout="flatten"), "conv")  # a perceptron has no stages, and no maps
    images = images_for(plain, 100)
    assert check_agreement(page, plain, spec_of(plain), images, "no stages")[1]["stages"] == []
    assert total > 5000
    assert compared > 0.9 * total


@pytest.mark.e2e
@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param(("model=local", "data.shift.train=2", "data.shift.test=2"), id="digits"),
        pytest.param(
            (
                "model=conv",
                "data=mnist",
                "data.train_size=1000",
                "data.val_size=100",
            ),
            id="MNIST",
            marks=pytest.mark.data,
        ),
    ],
)
@torch.no_grad()
def test_trained_networks_agree_with_torch(page, finished_run, overrides):
    opened = runs.open(finished_run(*overrides, "model.channels=[8,8]"))
    written = read_playground(opened.folder)
    images = opened.data.test.first(100)[0]
    assert check_agreement(page, opened.network, written.spec(), images, overrides)[0] == 100


def everywhere(value, way=()):
    """The ways to everything in nested containers."""
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from everywhere(item, (*way, key))


HOSTILE = (
    None,
    -1,
    0,
    1,
    2,
    3,
    1.5,
    2**20,
    2**31,
    1e308,
    "",
    "x",
    "zeros",
    "toString",
    [],
    {},
    [1, 1],
    [2**20] * 2,
    [[]],
    True,
)
TRY = """([text, changes]) => changes.map(([way, value]) => {
  const start = performance.now();
  try {
    const spec = JSON.parse(text);
    const last = way.at(-1), place = way.slice(0, -1).reduce((inner, key) => inner[key], spec);
    place[last] = value;
    const network = new Network(spec), { channels, height, width } = network.input;
    network.forward(new Uint8Array(channels * height * width));
    Network.images(spec);
    network.receptiveField(0, 0, 0);
    return ["", performance.now() - start];
  } catch (error) {
    return [`${error.name}: ${error.message}`, performance.now() - start];
  }
})"""


@pytest.mark.e2e
@torch.no_grad()
def test_a_damaged_network_is_answered_with_a_sentence(page):
    """Any one thing in a file replaced by something hostile: it runs, or there is a sentence, and never another error."""
    draw, answers = random.Random(0), list[tuple[str, float]]()
    for chosen, skeleton in list(pairwise())[::8]:
        network = network_of(skeleton, chosen["wiring"])
        spec = spec_of(network, images_for(network, 2))
        ways = [way for way in everywhere(spec) if way]
        changes = [(draw.choice(ways), draw.choice(HOSTILE)) for _ in range(40)]
        answers += page.evaluate(TRY, [json.dumps(spec), changes])
    said = [sentence for sentence, _ in answers if sentence]
    assert len(answers) >= 400
    assert len(said) > 0.5 * len(answers)
    starts = ("Error: This network is damaged: ", "Error: This network cannot run in a page: ")
    assert all(sentence.startswith(starts) and len(sentence) < 500 for sentence in said), set(said)
    assert max(milliseconds for _, milliseconds in answers) < 60_000


INPUT = {"channels": 1, "height": 2, "width": 2, "mean": [0.5], "std": [0.5]}


def small_spec():
    chosen = {"wiring": "conv", "kernel_size": (3, 3), "stride": (1, 1), "padding": "same", "dilation": (1, 1), "bias": True}
    chosen |= {
        "padding_mode": "zeros",
        "pool": "max",
        "pool_size": (2, 2),
        "norm": "batch",
        "activation": "lsa",
        "hidden": (6,),
    }
    chosen |= {"readout": "flatten", "channels": 1, "size": (12, 12)}
    skeleton = skeleton_of(chosen)
    return spec_of(network_of(skeleton, "conv"))


@pytest.mark.e2e
@torch.no_grad()
@pytest.mark.parametrize(
    ("way", "value", "sentence"),
    [
        (("version",), 2, "its version should be 1"),
        (("weights",), "no base64!", "weights should be base64"),
        (("weights",), "AAAA", "the offset of weight should be a whole number"),
        (("weights",), "A" * 2**23, "weights should be at most"),
        (("weights",), base64.b64encode(b"\xff" * 2**14).decode(), "holds numbers that are not finite"),
        (("input", "std"), [0], "std should be above 0"),
        (("input", "height"), 2**15, "an image should have at most 65536 numbers"),
        (("input", "width"), 20, "should have the shape"),
        (("classes",), ["0"], "there should be as many outputs as classes"),
        (("layers", 0, "op"), "constructor", "layer 0 has an unknown operation"),
        (("layers", 0, "weight", "shape"), [2**20, 1, 3, 3], "a layer is too large"),
        (("layers", 0, "padding"), [1024, 1024], "with its border is too large"),
        (("layers", 0, "stride"), [0, 1], "stride should be a whole number from 1"),
        (("layers", 2, "threshold"), "0", "threshold should be a finite number"),
        (("layers", 3, "kernel"), [99, 99], "a pooling does not fit its input"),
        (("layers", 0, "bias", "scale"), -1, "the scale of bias should be above 0"),
    ],
)
def test_damage_is_named(page, way, value, sentence):
    [[said, _]] = page.evaluate(TRY, [json.dumps(small_spec()), [(way, value)]])
    assert sentence in said


@pytest.mark.e2e
@torch.no_grad()
def test_a_small_file_does_not_become_large_in_memory(page):
    conv = {"op": "conv", "name": "c", "kernel": [1, 1], "stride": [1024, 1024], "padding": [511, 511], "dilation": [1, 1]}
    conv |= {"border": "zeros", "groups": 1}
    conv["weight"] = {"offset": 0, "shape": [1, 1, 1, 1]}
    wide = [conv | {"weight": {"offset": 4 * i, "shape": [1, 1, 1, 1]}} for i in range(150)]
    same = [conv | {"stride": [1, 1], "padding": [0, 0]}] * 101
    spec = small_spec() | {"input": INPUT, "weights": base64.b64encode(bytes(200)).decode()}
    for layers, sentence in ((wide[:50], "cannot run in a page: c makes it too large"), (same, "damaged: its arrays overlap")):
        [[said, _]] = page.evaluate(TRY, [json.dumps(spec), [(("layers",), layers)]])
        assert sentence in said


@pytest.mark.e2e
@torch.no_grad()
def test_what_was_left_out_says_why_and_wrong_pixels_are_refused(page):
    [[said, _]] = page.evaluate(TRY, [json.dumps(small_spec()), [(("left_out",), "It is too large.")]])
    assert said == "Error: It is too large."
    forward = "(spec) => { try { new Network(spec).forward(PIXELS) } catch (error) { return error.message } }"
    for pixels, sentence in (
        ("[NaN, ...new Array(143).fill(0)]", "This network's answer is not finite."),
        ("[0, 0, 0]", "An image of this network has 144 numbers."),
    ):
        assert page.evaluate(forward.replace("PIXELS", pixels), small_spec()) == sentence


@pytest.mark.e2e
@torch.no_grad()
def test_images_come_back_as_they_are(page):
    network = network_of(*next((s, c["wiring"]) for c, s in pairwise() if s.input_shape[0] == 3))
    images = images_for(network, 4)
    found = page.evaluate(
        "(spec) => Network.images(spec).map((i) => [i.label, Array.from(i.pixels)])", spec_of(network, images)
    )
    assert [label for label, _ in found] == [0] * 4
    assert torch.equal(torch.tensor([pixels for _, pixels in found]).byte(), images.flatten(1))
