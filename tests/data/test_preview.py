import pytest
import torch

from convexp.config.compose import compose_config
from convexp.data.preview import preview_grid
from convexp.execution import build


def dataset(*overrides: str):

    return build.dataset(compose_config(*overrides, "probes=none"))


ROWS = [
    ((), 3),
    (("data.shift.train=2",), 5),
    (("data.shift.train=[1,1]",), 3),
    (("data.shift.train=[[0,1],[2,0]]",), 5),
]


@pytest.mark.parametrize(("overrides", "rows"), ROWS)
def test_a_row_for_each_epoch_and_part(overrides, rows):
    data = dataset(*overrides)
    picture = preview_grid(data, seed=0, columns=7)
    assert picture.dtype == torch.uint8
    assert picture.shape == (3, 2 + rows * 66, 2 + 7 * 66)  # tiles of 16 * 4 pixels, lines of 2
    first = picture[0, 2:66, 2:66][::4, ::4]  # the first tile, back at its size
    if not overrides:
        assert torch.equal(first, data.train[0][0][0])
    last = picture[0, -66:-2, -66:-2][::4, ::4]
    assert torch.equal(last, data.test[6][0][0])
