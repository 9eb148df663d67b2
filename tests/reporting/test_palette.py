"""The colours and markers of wirings: legible on both papers, and distinguishable by everybody."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from fabricated_report import group
from hypothesis import given
from hypothesis import strategies as st

from convexp.pictures.page_style import page_style
from convexp.pictures.palette import OTHERS, WIRINGS, hue
from convexp.reporting.charts.colours import DARK, LIGHT, STEPS, page_colour, page_variables, shade
from convexp.reporting.charts.looks import look
from convexp.reporting.charts.series_style import series_styles
from convexp.reporting.charts.wirings import wiring_of

# Simulations of colour vision, on linear RGB, at full severity. Source: Machado, Oliveira and Fernandes 2009.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
PAPERS = dict(zip(("light", "dark"), re.findall(r"--paper: (#\w{6});", page_style()), strict=False))


def linear(colour):
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    dark, light = sorted(linear(c) @ TO_XYZ[1] for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


def cielab(colour, vision):
    t = TO_XYZ @ np.clip(np.array(VISIONS[vision]) @ linear(colour), 0, 1) / [0.9505, 1, 1.089]
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(colours, vision):
    """The smallest between any two of them."""
    places = [cielab(colour, vision) for colour in colours]
    return min(np.linalg.norm(a - b) for a, b in combinations(places, 2))


def test_the_measures_are_right():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert cielab("#ff0000", "normal") == pytest.approx([53.24, 80.09, 67.2], abs=0.1)
    assert distance(["#ff0000", "#808000"], "protanopia") < distance(["#ff0000", "#808000"], "normal") / 2


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_every_colour_is_legible_on_its_paper(scheme, colours):
    assert PAPERS == {"light": "#ffffff", "dark": "#14161a"}
    assert {name: c for name, c in colours.items() if contrast(c, PAPERS[scheme]) < 4.5} == {}
    assert len(colours) == len(WIRINGS) + len(OTHERS) + STEPS == len(set(colours.values()))


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_tell_wirings_apart(scheme, vision):
    colours = [getattr(WIRINGS[name], scheme) for name in WIRINGS]
    others = [getattr(each, scheme) for each in OTHERS]
    assert distance(colours, vision) >= 25
    assert distance([getattr(WIRINGS[name], scheme) for name in ("dense", "local", "conv")], vision) >= 29
    assert distance(others, vision) >= 29
    assert distance([*colours, *others], vision) >= 8


def test_the_documentation_shows_the_palette():
    page = (Path(__file__).parents[2] / "docs" / "figures.md").read_text()
    for name, each in WIRINGS.items():
        assert re.search(rf"\| `{name}` \|.*\| `{each.light}` \| `{each.dark}` \|", page), name


def test_markers_differ_too():
    markers = [each.marker for each in (*WIRINGS.values(), *OTHERS)]
    assert len(set(markers)) == len(markers)
    looks = [look(rank) for rank in range(12)]
    assert len({(each.marker, each.hollow) for each in looks}) == 12
    assert not {each.marker for each in looks} & set(markers)


@given(st.permutations([*WIRINGS, "resnet18", "vit_tiny"]), st.integers(2, 7))
def test_a_wiring_has_one_colour_and_marker_in_every_report(names, count):
    """Whatever else is in the report, and in whichever order."""
    groups = [group(name, 1) for name in names[:count]]
    for made, style in zip(groups, series_styles(groups), strict=True):
        if made.label in WIRINGS:
            assert (style.colour, style.marker, style.hollow) == (WIRINGS[made.label].light, WIRINGS[made.label].marker, False)
        else:
            assert style.colour in {each.light for each in OTHERS}


@given(st.permutations(["dense", "local", "conv"]), st.permutations([100, 300, 1000]))
def test_variants_of_a_wiring_share_its_hue(names, sizes):
    groups = [group(name, 1, size=size) for name in names for size in sizes]
    styles = series_styles(groups)
    for made, style in zip(groups, styles, strict=True):
        assert style.colour == WIRINGS[made.point["model"]].light
    assert len({(style.colour, style.marker, style.hollow, style.line) for style in styles}) == 9


def test_a_network_of_another_name_has_the_colour_of_its_layers():
    made = group("mine", 1)
    made.runs[0].config["model"] = {"name": "mine", "wiring": {"_target_": "convexp.layers.conv.Conv2d"}}
    assert wiring_of(made) == "conv"
    both = [made, group("conv", 1), group("dense", 1)]
    first, second, other = series_styles(both)
    assert first.colour == second.colour == hue("conv").light != other.colour
    assert (first.hollow, first.line) != (second.hollow, second.line)
    made.runs[0].config["model"]["wiring"] = {"_target_": "their.Layer"}
    assert wiring_of(made) == "mine"


def test_a_page_has_both_colours_of_each():
    style = page_variables()
    assert page_colour(WIRINGS["conv"].light) == "var(--wiring-conv)"
    assert page_colour("#123456") == "#123456"
    light, dark = style.split("@media screen and (prefers-color-scheme: dark)")
    for name, each in WIRINGS.items():
        assert f"--wiring-{name}:{each.light};" in light
        assert f"--wiring-{name}:{each.dark};" in dark
    assert shade(0, 1) == shade(0, 5) != shade(4, 5)
