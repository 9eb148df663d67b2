"""Tiles of images, maps and weights; and a user's mistake within a lesson, in one line."""

import numpy as np
import pytest

from convexp.errors import ConfigError
from convexp.teaching import in_one_line, tile, tiles


@pytest.mark.parametrize(
    ("shape", "drawn", "aspect"),
    [
        ((1, 5, 7), (5, 7), "equal"),  # grey
        ((3, 5, 7), (5, 7, 3), "equal"),  # colours
        ((4, 5, 7), (5, 7), "equal"),  # the mean of other numbers of channels
        ((2, 9), (1, 9), "auto"),  # a signal
        ((1, 4, 5, 7), (5, 7), "equal"),  # a volume
    ],
)
def test_images_of_any_dimension_become_a_tile(shape, drawn, aspect):
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    _, axes = tiles(["one", "other"], 2)
    tile(axes["other"][1], values, "a title")
    (image,) = axes["other"][1].images
    assert image.get_array().shape == drawn
    assert (axes["other"][1].get_aspect() == "auto") == (aspect == "auto")
    assert not axes["one"][0].images
    assert [axes[name][0].get_ylabel() for name in axes] == ["one", "other"]


def test_a_volume_shows_its_middle_slice_and_other_channels_their_mean():
    volume = np.random.default_rng(0).random((2, 5, 3, 4))
    _, axes = tiles(["only"], 1)
    tile(axes["only"][0], volume)
    np.testing.assert_allclose(axes["only"][0].images[0].get_array(), volume[:, 2].mean(0))


def test_scales_have_zero_in_their_middle_or_the_given_ends():
    _, axes = tiles(["only"], 3)
    values = np.ones((3, 2, 2))
    tile(axes["only"][0], values, full=2.0)
    tile(axes["only"][1], values, limits=(-1.0, 5.0))
    tile(axes["only"][2], values[:1])
    assert [image.get_clim() for axis in axes["only"] for image in axis.images] == [(-2, 2), (-1, 5), (0, 255)]


def test_a_script_tells_a_mistake_in_one_line(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["scripts/lessons/11_looking_into_a_network.py"])
    with pytest.raises(SystemExit) as ended, in_one_line():
        raise ConfigError("run=here: has no data")
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip() == "11_looking_into_a_network.py: run=here: has no data"
