"""``python -m convexp.diff`` is ``convexp-diff``."""

from convexp.cli.diff import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
