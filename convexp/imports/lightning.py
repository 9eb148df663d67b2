"""Imports Lightning without all of torchmetrics and torch's compiler, of which it needs little.

Lightning asks torchmetrics for ``Metric`` and ``MetricCollection``, and torch's compiler for the type of compiled modules and
to leave a function alone. torchmetrics brings SciPy, Matplotlib and torchvision with it, and the compiler brings SymPy: more
than torch and Lightning together. So while Lightning is imported, modules stand in for these packages that have nothing else.
None stands in for them afterwards: whoever imports torchmetrics or the compiler gets the packages themselves, and the same
``Metric``.

If a version of these packages asks for more, it gets it, only later; if that fails, Lightning is imported as usual. So does the
variable ``CONVEXP_WHOLE_IMPORTS=1``.
"""

import importlib
import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from logging import getLogger
from typing import Any

from convexp.imports.compiler import COMPILER, CompiledModule, disable, spare_compiler
from convexp.imports.hook import at_import, bind_submodules
from convexp.imports.stand_in import import_itself, standing_in
from convexp.machine.garbage import importing

LIGHTNING = ("pytorch_lightning", "lightning_fabric")
METRICS = "torchmetrics"
PLOT = "torchmetrics.utilities.plot"


def import_lightning() -> None:
    """Import Lightning, if it has not been imported yet, with as little else as possible."""
    if LIGHTNING[0] in sys.modules:
        return
    with importing():
        _import()


def _import() -> None:
    if not os.environ.get("CONVEXP_WHOLE_IMPORTS"):
        before = {*sys.modules}
        try:
            _import_with_stand_ins()
        except Exception:  # unknown versions may fail in any way, and the usual import says what is really wrong
            _forget(before)
    importlib.import_module(LIGHTNING[0])


def _import_with_stand_ins() -> None:
    spare_compiler()
    with ExitStack() as stack:
        stack.enter_context(standing_in(COMPILER, {"OptimizedModule": CompiledModule, "disable": disable}))
        if METRICS not in sys.modules and (spec := find_spec(METRICS)) is not None:
            at_import(METRICS, bind_submodules)
            attributes = {"__path__": spec.submodule_search_locations, "_logger": getLogger(METRICS)}
            package = stack.enter_context(standing_in(METRICS, attributes))
            with standing_in(PLOT, {"_AX_TYPE": object, "_PLOT_OUT_TYPE": object, "plot_single_or_multi_val": plot_values}):
                importlib.import_module(f"{METRICS}.utilities")  # first: it and the metric import each other
                for module, name in (("metric", "Metric"), ("collections", "MetricCollection")):
                    setattr(package, name, getattr(importlib.import_module(f"{METRICS}.{module}"), name))
        importlib.import_module(LIGHTNING[0])


def _forget(before: set[str]) -> None:
    """Let Lightning be imported anew, but for those of its modules that were there before: others have their classes."""
    for name in [name for name in sys.modules if name.partition(".")[0] in LIGHTNING and name not in before]:
        del sys.modules[name]


def plot_values(*args: Any, **kwargs: Any) -> Any:
    """Plot what a metric computed, as torchmetrics does; it imports Matplotlib only now."""
    return import_itself(PLOT).plot_single_or_multi_val(*args, **kwargs)
