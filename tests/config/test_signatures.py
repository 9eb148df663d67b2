"""Signatures that are read from the source are those that Python sees."""

import ast
import importlib
import inspect
import typing
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from convexp.config.signatures.annotations import annotation_schema
from convexp.config.signatures.signature import read_signature
from convexp.config.signatures.value_types import describe_values, matches

OPTIMIZERS = [
    f"torch.optim.{name}" for name, made in vars(torch.optim).items() if inspect.isclass(made) and name != "Optimizer"
]
SCHEDULERS = ["StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "OneCycleLR", "ReduceLROnPlateau"]
OTHERS = [
    "pytorch_lightning.callbacks.EarlyStopping",
    "convexp.layers.local.LocallyConnected2d",
    "convexp.layers.conv.Conv2d",
    "convexp.layers.low_rank.LowRankLocallyConnected2d",
    "convexp.probes.behaviour.consistency.Consistency",
    "convexp.data.waldo.waldo",
    "convexp.training.schedules.step",
    "torchvision.models.DenseNet",  # imported there by an asterisk
]


@pytest.mark.parametrize("target", [*OPTIMIZERS, *(f"torch.optim.lr_scheduler.{name}" for name in SCHEDULERS), *OTHERS])
def test_names_and_defaults_are_pythons(target):
    module, _, name = target.rpartition(".")
    real = inspect.signature(getattr(importlib.import_module(module), name)).parameters.values()
    named = [p for p in real if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    read = read_signature(target)
    assert read is not None
    assert list(read.schemas) == [p.name for p in named]
    assert read.required == {p.name for p in named if p.default is p.empty}
    assert read.open == any(p.kind is p.VAR_KEYWORD for p in real)


@pytest.mark.parametrize(
    ("module", "first"), [("named_self", "self"), ("named_this", "this"), ("named_before", "self, /"), ("named_s", "s, a, /")]
)
def test_the_object_itself_is_no_argument_whatever_its_name(tmp_path, monkeypatch, module, first):
    (tmp_path / f"{module}.py").write_text(f"class Net:\n    def __init__({first}, k=10, *, self_=1):\n        pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    read = read_signature(f"{module}.Net")
    assert read is not None
    assert [*read.schemas] == ["a"] * ("a" in first) + ["k", "self_"]
    assert read.defaults == {"k": 10, "self_": 1}


@pytest.mark.parametrize(
    "target",
    [
        "builtins.dict",
        "nowhere.Thing",
        "torch.optim.nowhere.Thing",
        "torch.optim.Adem",
        "torchvision.models.DenseNt",
        "__main__.X",
    ],
)
def test_what_the_source_does_not_tell(target):
    assert read_signature(target) is None


@pytest.mark.parametrize("content", [b"class Layer(:", b"\xff\xfe", b"a = '\0'"])
def test_a_module_that_is_no_python_tells_nothing(call, tmp_path, monkeypatch, content):
    name = f"broken{len(content)}"
    (tmp_path / f"{name}.py").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    assert read_signature(f"{name}.Layer") is None
    done = call("train", "only_costs=true", f"model.wiring._target_={name}.Layer")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"model.wiring ({name}.Layer): SyntaxError" in done.err


@pytest.mark.parametrize(
    "target", ["convexp.nowhere.X", "convexp.layers.conv.Conv9d", "convexp.probes.structure.kernels.torch"]
)
def test_ours_counts_where_it_is_defined(target):
    with pytest.raises(LookupError):
        read_signature(target)


def test_docstrings_tell_what_arguments_mean():
    for target in ("convexp.probes.behaviour.consistency.Consistency", "convexp.data.image_folder.image_folder"):
        read = read_signature(target)
        assert read is not None
        assert set(read.meanings) == set(read.schemas)


ANNOTATIONS = ["int", "bool", "str", "float", "int | None", "Literal['a', 'b']", "Optional[bool]", "list[int] | str"]
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.lists(st.integers() | st.text(max_size=1))


@pytest.mark.parametrize("annotation", ANNOTATIONS)
@given(value=VALUES | st.sampled_from(["a", "b"]))
def test_values_fit_as_pydantic_has_it(annotation, value):
    strict = TypeAdapter(eval(annotation, vars(typing)))
    try:
        strict.validate_python(value, strict=True)
        right = True
    except ValidationError:
        right = False
    allowed = annotation_schema(ast.parse(annotation, mode="eval").body, "typing")
    assert matches(value, allowed) == right
    assert describe_values(allowed)


def test_every_value_in_the_yamls_fits(monkeypatch, tmp_path):
    from convexp.config.compose import compose_config

    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    options = {group: sorted(f.stem for f in Path(ROOT, "conf", group).glob("*.yaml")) for group in ("optimizer", "scheduler")}
    for group, names in options.items():
        for name in names:
            compose_config(f"{group}={name}")
    for name in ("dense", "local", "conv", "global_conv", "low_rank_local", "mlp"):
        compose_config(f"model={name}", "probes=all", "callbacks=early_stopping")
