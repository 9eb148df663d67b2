"""Torch and Lightning without torch's compiler, as long as nothing is compiled: importing it takes a second of a core.

Torch imports the compiler to tell it which functions it must not trace: those of an optimizer, and the Python code that
computes on the meta device. Until somebody else imports it, nothing is traced, and they can be called as they were written.

Torch's counter of FLOPs imports Triton, in which the compiler writes its kernels, to tell these from other operators; until
somebody else imports that, there are none.
"""

import functools
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import Any

from convexp.imports.hook import Around, at_import
from convexp.imports.stand_in import import_itself, is_imported, standing_in

COMPILER = "torch._dynamo"
UTILITIES = "torch._dynamo.utils"
KERNELS = "triton.runtime.jit"
Function = Callable[..., Any]
# What the code of these two functions of torch may mention. If it mentions anything else, it does more than is known here.
DISABLING = {COMPILER, "torch", "_dynamo", "disable", "getattr", "__dynamo_disable"}
STEPPING = {COMPILER, "torch", "_dynamo", "graph_break", "cast", "Optimizer", "defaults", "is_grad_enabled", "set_grad_enabled"}


def spare_compiler() -> None:
    """Let torch and torchvision, if they have not been imported yet, do without the compiler until somebody imports it."""
    if "torch" not in sys.modules:
        at_import("torch._compile", _replace("_disable_dynamo", "inner", DISABLING, _disabling))
        at_import("torch.optim.optimizer", _replace("_use_grad_for_differentiable", "_use_grad", STEPPING, _stepping))
    at_import("torch.utils.flop_counter", lambda _: standing_in(KERNELS, {"JITFunction": TritonKernel}))
    at_import("torchvision", lambda _: standing_in(UTILITIES, {"is_compile_supported": is_compile_supported}))


def is_compile_supported(device_type: Any) -> Any:
    """Whether torch compiles for a type of device, which an operator of torchvision asks; it imports the compiler only now."""
    return import_itself(UTILITIES).is_compile_supported(device_type)


def _replace(name: str, inner: str, known: set[str], by: Callable[[Function], Function]) -> Around:
    """Return what replaces a decorator of a module, unless the function ``inner`` that it makes is an unknown one."""

    @contextmanager
    def replace(module: ModuleType) -> Generator[None]:
        yield
        decorator = getattr(module, name, None)
        code = [made for made in _constants(decorator) if isinstance(made, CodeType) and made.co_name == inner]
        if len(code) == 1 and set(code[0].co_names) <= known:
            setattr(module, name, by(decorator))  # pyright: ignore[reportArgumentType]

    return replace


def _constants(function: Any) -> tuple[Any, ...]:
    return getattr(getattr(function, "__code__", None), "co_consts", ())


def _disabling(decorator: Function) -> Function:
    """Return ``torch._disable_dynamo`` for functions that import the compiler only if others have."""

    @functools.wraps(decorator)
    def disable(fn: Function | None = None, recursive: bool = True) -> Function:
        if fn is None:
            return functools.partial(disable, recursive=recursive)
        return until_compiler_is_imported(fn, decorator(fn, recursive))

    return disable


def _stepping(decorator: Function) -> Function:
    """Return torch's decorator of ``Optimizer.step`` for steps that import the compiler only if others have."""
    import torch

    @functools.wraps(decorator)
    def decorate(func: Function) -> Function:
        @functools.wraps(func)
        def step(self: Any, *args: Any, **kwargs: Any) -> Any:
            with torch.set_grad_enabled(self.defaults["differentiable"]):
                return func(self, *args, **kwargs)

        return until_compiler_is_imported(step, decorator(func))

    return decorate


def until_compiler_is_imported(plain: Function, then: Function) -> Function:
    """Return a function that is ``plain`` until the compiler has been imported, and ``then`` from then on."""

    @functools.wraps(plain)
    def chosen(*args: Any, **kwargs: Any) -> Any:
        return (then if is_imported(COMPILER) else plain)(*args, **kwargs)

    return chosen


def _is_instance(instance: object, stand_in: type, module: str, name: str) -> bool:
    """Whether an object is an instance of the class ``name`` that ``stand_in`` stands in for; none is before it is imported."""
    real: Any = getattr(sys.modules.get(module), name, stand_in)
    return real is not stand_in and isinstance(instance, real)


class _InstancesOfCompiledModule(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return _is_instance(instance, cls, COMPILER, "OptimizedModule")


class CompiledModule(metaclass=_InstancesOfCompiledModule):
    """What ``torch.compile`` returns for a module, as far as ``isinstance`` can tell."""


class _InstancesOfTritonKernel(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return _is_instance(instance, cls, KERNELS, "JITFunction")


class TritonKernel(metaclass=_InstancesOfTritonKernel):
    """A kernel that is written in Triton, as far as ``isinstance`` can tell."""


def disable(fn: Function | None = None, recursive: bool = True, **how: Any) -> Function:
    """Return ``fn`` so that it is never traced, as ``torch.compiler.disable`` does; a decorator if ``fn`` is None."""
    if fn is None:
        return functools.partial(disable, recursive=recursive, **how)
    made: list[Function] = []

    def disabled(*args: Any, **kwargs: Any) -> Any:
        if not made:
            made.append(import_itself(COMPILER).disable(fn, recursive, **how))
        return made[0](*args, **kwargs)

    return until_compiler_is_imported(fn, disabled)
