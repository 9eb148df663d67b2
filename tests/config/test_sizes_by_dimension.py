"""Sizes with one number for each dimension: canvases, windows, kernels, strides, paddings, dilations, pooling windows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.config.compose import compose_config
from convexp.config.schema.skeletons import per_dimension
from convexp.errors import ConfigError

WIDE = ("data=npz", "data.source.file=x.npz", "data.classes=3", "data.image_shape=[1,20,32]")
SIZES = ("kernel_size", "stride", "dilation", "pool_size")


@settings(deadline=None)
@given(st.integers(1, 99), st.integers(1, 3))
def test_one_number_stands_for_all_dimensions(number, dims):
    assert per_dimension("x", number, dims) == per_dimension("x", [number] * dims, dims) == (number,) * dims


def _stages(tmp_path, *overrides):
    (tmp_path / "x.npz").write_bytes(b"")
    where = f"data.source.file={tmp_path}/x.npz"
    config = compose_config(*WIDE, *overrides, where)
    return config.model.skeleton(config.data.input_shape, 3).stages


def test_a_list_has_one_value_for_each_stage_and_a_list_in_it_one_for_each_dimension(tmp_path):
    stages = _stages(tmp_path, "model.kernel_size=[[5,3],3]", "model.stride=[1,[1,2]]", "model.padding=[[2,1],same]")
    assert [stage.kernel_size for stage in stages] == [(5, 3), (3, 3)]
    assert [stage.stride for stage in stages] == [(1, 1), (1, 2)]
    assert [stage.padding for stage in stages] == [(2, 1), (1, 1)]
    assert [stage.kernel_size for stage in _stages(tmp_path, "model.kernel_size=[5,3]")] == [(5, 5), (3, 3)]


@pytest.mark.parametrize("setting", SIZES)
def test_equal_numbers_are_one_number(tmp_path, setting):
    assert _stages(tmp_path, f"model.{setting}=[[3,3],[1,1]]") == _stages(tmp_path, f"model.{setting}=[3,1]")


def test_canvas_position_and_shifts_by_dimension(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"")
    more = (f"data.source.file={tmp_path}/x.npz", "data.canvas=[40,64]", "data.shift.test=0.25")
    placement = compose_config(*WIDE, *more).data.placement()
    assert placement.canvas_size == placement.input_size == (40, 64)
    assert placement.position.low == (10, 16)
    assert placement.test.high == (10, 16)
    cropped = compose_config(*WIDE, *more, "data.shift.protocol=crop", "data.shift.window=[20,16]").data
    assert cropped.input_shape == (1, 20, 16)


NUMBERS = "should be one number, or 2 of them, [height, width], for images of 2 dimensions"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.canvas=[20]", f"data.canvas=[20]: {NUMBERS}"),
        ("data.canvas=[20,4]", "data.canvas=[20, 4]: is smaller than the image; should be [8, 8] or more"),
        ("data.canvas=[20,0]", "data.canvas=[20, 0]: should be greater than 0"),
        ("data.canvas=[20,[8]]", "data.canvas=[20, [8]]: should be a valid integer"),
        ("model.kernel_size=[[5,3,1],3]", f"model.kernel_size=[5, 3, 1]: {NUMBERS}"),
        ("model.kernel_size=[[],3]", f"model.kernel_size=[]: {NUMBERS}"),
        (
            "model.kernel_size=[[5,3]]",
            "model.kernel_size=[[5, 3]]: should be one value, or 2 of them, as many as model.channels",
        ),
        ("model.kernel_size=[[[5],3],3]", "model.kernel_size=[[[5], 3], 3]: should be a valid integer"),
        ("model.kernel_size=[[5,4],3]", "model.padding=same needs an odd kernel_size, got 4"),
        ("model.kernel_size=[[3,99],3]", "model.kernel_size=99: should be 33 at most for images of 16 pixels"),
        ("model.padding=[[1,same],1]", "model.padding=[[1, 'same'], 1]: should be a valid integer"),
        ("model.pool_size=[[1,9],1]", "model.pool_size=9 (stage 0): is larger than the 8 units it pools"),
        ("data.shift.window=[8,9]", "data.shift.window=[8, 9]: goes with data.shift.protocol=crop"),
    ],
)
def test_wrong_sizes_are_explained_in_one_line(override, message):
    with pytest.raises(ConfigError) as caught:
        compose_config("data=digits", "model.pool=max", override)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_for_a_signal_has_one_number(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"")
    signal = ("data=npz", f"data.source.file={tmp_path}/x.npz", "data.classes=3", "data.image_shape=[1,40]")
    with pytest.raises(
        ConfigError, match=r"kernel_size=\[5, 3\]: should be one number, or \[length\], for images of 1 dimension$"
    ):
        compose_config(*signal, "model.kernel_size=[[5,3],3]")
    config = compose_config(*signal, "model.kernel_size=[[5],3]", "data.canvas=[50]")
    assert config.data.input_shape == (1, 50)
    assert [s.kernel_size for s in config.model.skeleton((1, 50), 3).stages] == [(5,), (3,)]
