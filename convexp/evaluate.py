"""``python -m convexp.evaluate`` is ``convexp-eval``."""

from convexp.cli.evaluate import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
