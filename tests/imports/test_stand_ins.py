"""Stand-ins, on packages that are made for these tests."""

import copy
import importlib
import importlib.util
import sys
from types import CodeType, ModuleType

import pytest

from convexp.imports import compiler, lightning
from convexp.imports.hook import at_import, bind_submodules
from convexp.imports.stand_in import standing_in

METRICS = {
    "__init__": "import made_metrics.functional\nfrom made_metrics.metric import Metric\n"
    "from made_metrics.collections import MetricCollection\nother = 1",
    "functional": "",
    "metric": "class Metric: pass",
    "collections": "from made_metrics.metric import Metric\nclass MetricCollection: pass",
    "utilities/__init__": "",
    "utilities/plot": "",
}
USUAL = "from made_compiler import OptimizedModule\nfrom made_metrics import Metric, MetricCollection"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes a package that can be imported within the test; afterwards nothing is left of it."""

    def make(name, **files):
        for file, code in files.items():
            path = tmp_path / name / f"{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield make
    for name in [name for name in sys.modules if name.startswith("made_")]:
        del sys.modules[name]


@pytest.fixture
def made(package, monkeypatch):
    """Lets ``import_lightning`` import a package of the test's with the given code; returns a function that does so."""

    def import_it(code, metrics=METRICS):
        package("made_lightning", __init__=code)
        package("made_metrics", **metrics)
        package("made_compiler", __init__="class OptimizedModule: pass\nconfig = 5")
        for name, value in {
            "LIGHTNING": ("made_lightning", "made_fabric"),
            "METRICS": "made_metrics",
            "COMPILER": "made_compiler",
        }.items():
            monkeypatch.setattr(lightning, name, value)
        monkeypatch.setattr(compiler, "COMPILER", "made_compiler")
        monkeypatch.setattr(lightning, "PLOT", "made_metrics.utilities.plot")
        lightning.import_lightning()
        return sys.modules["made_lightning"]

    return import_it


def test_nothing_stands_in_afterwards(made, monkeypatch):
    monkeypatch.delenv("CONVEXP_WHOLE_IMPORTS", raising=False)
    found = made(USUAL)
    assert not {"made_metrics", "made_metrics.functional", "made_metrics.utilities.plot", "made_compiler"} & set(sys.modules)
    assert not isinstance(found, found.OptimizedModule)
    whole = importlib.import_module("made_metrics")
    assert (whole.Metric, whole.other) == (found.Metric, 1)
    assert whole.collections.MetricCollection is found.MetricCollection
    real = importlib.import_module("made_compiler").OptimizedModule
    assert isinstance(real(), found.OptimizedModule)
    assert not isinstance(whole, found.OptimizedModule)


@pytest.mark.parametrize(
    ("code", "metrics"),
    [
        ("from made_metrics import Metric, other\nfrom made_compiler import config", METRICS),  # more than is known
        (
            "import made_compiler.unknown as one\nimport made_metrics\nother, config = 1, 5\nMetric = made_metrics.Metric",
            METRICS,
        ),
        (USUAL + "\nother, config = 1, 5", METRICS | {"utilities/__init__": "raise OSError"}),  # torchmetrics is another
    ],
)
def test_who_asks_for_more_gets_it(made, package, code, metrics):
    package("made_compiler", unknown="")
    found = made(code, metrics)
    assert (found.other, found.config) == (1, 5)
    assert found.Metric is importlib.import_module("made_metrics").Metric


def test_whole_imports_are_a_choice(made, monkeypatch):
    monkeypatch.setenv("CONVEXP_WHOLE_IMPORTS", "1")
    made(USUAL)
    assert {"made_metrics.functional", "made_compiler"} <= set(sys.modules)


def test_an_error_of_lightning_is_its_own(made):
    with pytest.raises(ZeroDivisionError):
        made("1 / 0")


def test_a_failed_import_forgets_nothing_that_was_there(made, package):
    package("made_fabric", __init__="", child="")
    fabric = importlib.import_module("made_fabric")
    failing = "import made_fabric.child, made_compiler\nif 'config' not in vars(made_compiler): raise OSError"
    made(failing)
    assert sys.modules["made_fabric"] is fabric
    assert fabric.child is sys.modules["made_fabric.child"]


def test_a_module_that_is_there_is_not_replaced():
    with standing_in("json", {}) as stand_in:
        assert stand_in is None
        assert sys.modules["json"].loads("1") == 1


def test_submodules_are_bound_and_the_loader_is_pythons(package):
    package("made_package", __init__="before = dir()", child="")
    sys.modules["made_package.child"] = child = ModuleType("made_package.child")
    at_import("made_package", bind_submodules)
    found = importlib.import_module("made_package")
    assert found.child is child
    assert "child" in found.before
    assert found.__spec__.loader is found.__loader__
    assert type(found.__loader__).__name__ == "SourceFileLoader"


def test_who_looks_for_a_module_does_not_use_its_context_up(package):
    package("made_package", __init__="import importlib.util\nassert importlib.util.find_spec(__name__) is __spec__", child="")
    sys.modules["made_package.child"] = child = ModuleType("made_package.child")
    finders = [*sys.meta_path]
    at_import("made_package", bind_submodules)
    for _ in range(2):
        loader = importlib.util.find_spec("made_package").loader
        assert "find_spec" in loader.get_source("made_package")
        assert copy.copy(loader).path == loader.path
    assert importlib.import_module("made_package").child is child
    assert sys.meta_path == finders


def test_a_module_that_fails_keeps_its_context(package, tmp_path):
    package("made_package", __init__="1 / 0")
    sys.modules["made_package.child"] = child = ModuleType("made_package.child")
    at_import("made_package", bind_submodules)
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("made_package")
    package("made_package", __init__="whole = 1 + 1")
    assert importlib.import_module("made_package").child is child


def test_what_is_kept_of_a_stand_in_does_not_call_itself(package, monkeypatch):
    """Torch keeps what ``disable`` returned, even if it was a stand-in's."""
    traced = "lambda *args: ('untraced', fn(*args))"
    package("made_compiler", __init__=f"def disable(fn, recursive, **how): return {traced}", utils="is_compile_supported = str")
    monkeypatch.setattr(compiler, "COMPILER", "made_compiler")
    monkeypatch.setattr(compiler, "UTILITIES", "made_compiler.utils")
    with standing_in("made_compiler", {"disable": compiler.disable}):
        kept = sys.modules["made_compiler"].disable(abs, True, wrapping=False)
        assert kept(-2) == 2
    assert kept(-2) == 2
    with standing_in("made_compiler", {}), standing_in("made_compiler.utils", {}) as utilities:
        utilities.is_compile_supported = compiler.is_compile_supported
        assert utilities.is_compile_supported(1) == "1"
    assert kept(-2) == ("untraced", 2)


def test_a_kernel_is_one_once_there_are_kernels(package, monkeypatch):
    package("made_kernels", __init__="class JITFunction: pass")
    package("made_counter", __init__="from made_kernels import JITFunction as Kernel")
    monkeypatch.setattr(compiler, "KERNELS", "made_kernels")
    with standing_in("made_kernels", {"JITFunction": compiler.TritonKernel}):
        counter = importlib.import_module("made_counter")
    assert not isinstance(1, counter.Kernel)
    real = importlib.import_module("made_kernels").JITFunction
    assert real is not counter.Kernel
    assert isinstance(real(), counter.Kernel)
    assert not isinstance(1, counter.Kernel)


DECORATOR = """
def decorate(fn):
    def inner(*args):
        {body}
        return fn(*args)
    return inner
"""


@pytest.mark.parametrize(
    ("body", "replaced"), [("import torch._dynamo", True), ("import torch._dynamo, os", False), ("pass", True)]
)
def test_a_decorator_of_torch_that_does_more_is_left_alone(package, body, replaced):
    package("made_torch", __init__=DECORATOR.format(body=body))
    around = compiler._replace("decorate", "inner", compiler.DISABLING, lambda decorator: len)
    at_import("made_torch", around)
    assert (importlib.import_module("made_torch").decorate is len) == replaced


def test_torch_has_the_decorators_that_are_known():
    """If it has not, a run imports the compiler before its first step; nothing else changes."""
    from torch import _compile
    from torch.optim import optimizer

    for module, name, inner, known in (
        (_compile, "_disable_dynamo", "inner", compiler.DISABLING),
        (optimizer, "_use_grad_for_differentiable", "_use_grad", compiler.STEPPING),
    ):
        decorator = getattr(module, name)
        decorator = getattr(decorator, "__wrapped__", decorator)
        (code,) = [made for made in decorator.__code__.co_consts if isinstance(made, CodeType) and made.co_name == inner]
        assert set(code.co_names) <= known
