import pytest
import torch
from sheets import framed

from convexp.config.compose import compose_config
from convexp.data.preview import describe_shifts, preview_grid
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
    tiles = framed(picture)
    assert picture.dtype == torch.uint8
    assert [len(row) for row in tiles] == [7] * rows
    first, last = (torch.from_numpy(tile[::4, ::4, 0].copy()) for tile in (tiles[0][0], tiles[-1][-1]))  # at their size
    if not overrides:
        assert torch.equal(first, data.train[0][0][0])
    assert torch.equal(last, data.test[6][0][0])


SAID = {
    (): "All images are not shifted.",
    ("data.shift.train=2",): "Training images are shifted down by -2 to 2 and right by -2 to 2 pixels. "
    "Validation images are not shifted. Test images are not shifted.",
    ("data.shift.train=[1,0]", "data.shift.val=1"): "Training images are shifted down by 1 and right by 0 pixels. "
    "Validation images are shifted down by -1 to 1 and right by -1 to 1 pixels. Test images are not shifted.",
}


@pytest.mark.parametrize("overrides", SAID)
def test_it_says_how_images_are_shifted(overrides):
    assert describe_shifts(dataset(*overrides), augmented=False) == SAID[overrides]
    assert describe_shifts(dataset(*overrides), augmented=True) == f"{SAID[overrides]} Training images are augmented."
