"""Differences between pairs of runs: what rounding makes of equal ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.reporting.effects import standardised_difference
from convexp.reporting.paired import paired_test
from convexp.reporting.pairs import differences


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 360), st.integers(-2, 2)), min_size=1, max_size=12), st.sampled_from([360, 10_000]))
def test_differences_of_as_many_images_are_equal_however_accuracies_are_rounded(counts, images):
    pairs = [(np.float32(min(a + more, images) / images), np.float32(a / images)) for a, more in counts]
    found = differences([(float(a), float(b)) for a, b in pairs])
    assert found == [-d for d in differences([(float(b), float(a)) for a, b in pairs])]
    assert found == pytest.approx([float(a) - float(b) for a, b in pairs], abs=1e-6)
    in_images = [round(d * images) for d in found]
    assert len({*found}) == len({*in_images})
    assert all((d == 0) == (n == 0) for d, n in zip(found, in_images, strict=True))


def test_one_image_more_in_every_seed_is_no_certainty():
    pairs = [(float(np.float32((k + 1) / 360)), float(np.float32(k / 360))) for k in (335, 336, 337)]
    found = paired_test(differences(pairs))
    assert (found.method, found.p) == ("sign test", pytest.approx(0.25))
    assert standardised_difference(differences(pairs)) is None
