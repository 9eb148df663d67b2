"""``python -m convexp.lessons`` is ``convexp-lessons``."""

from convexp.cli.lessons import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
