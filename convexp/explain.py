"""``python -m convexp.explain`` is ``convexp-explain``."""

from convexp.cli.explain import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
