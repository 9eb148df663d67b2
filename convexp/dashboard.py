"""``python -m convexp.dashboard`` is ``convexp-dashboard``."""

from convexp.cli.dashboard import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
