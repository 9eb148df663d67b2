"""The picture of the probes' numbers over the epochs."""

import numpy as np
from matplotlib import colormaps

from convexp.probes.figures import numbers_over_epochs


def rows_with(picture, index):
    """The rows of the panels, without their legends, in which the colour with this index is."""
    colour = np.round(255 * np.array(colormaps["tab20"](index)[:3]))
    panels = picture.numpy()[:, :, : picture.shape[2] // 2].astype(int)
    same = (np.abs(panels - colour[:, None, None]) < 3).all(0)  # (H, W)
    return np.flatnonzero(same.any(1))


def test_a_number_has_one_colour_in_all_panels_and_little_does_not_fill_them():
    rows = [{"a/mean": 0.99, "a/worst": 0.98, "b/mean": 0.996}, {"a/mean": 0.98, "a/worst": 0.97, "b/mean": 0.999}]
    picture = numbers_over_epochs([0, 1], rows)
    assert picture is not None
    half = picture.shape[1] // 2
    mean, worst = rows_with(picture, 0), rows_with(picture, 1)
    assert (mean < half).any()
    assert (mean > half).any()
    assert worst.size
    assert (worst < half).all()
    assert np.ptp(mean[mean > half]) < half / 10  # a change of 0.003
