"""``python -m convexp.train`` is ``convexp-train``.

Python puts a module that is imported in the place of the function ``convexp.train``. So this one can be called as the function.
"""

import sys
from types import ModuleType
from typing import Any

from convexp.cli.train import main

__all__ = ["main"]


class _CallableModule(ModuleType):
    def __call__(self, *overrides: str, **settings: Any) -> Any:
        from convexp.scripting import train

        return train(*overrides, **settings)


sys.modules[__name__].__class__ = _CallableModule

if __name__ == "__main__":
    main()
