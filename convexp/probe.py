"""``python -m convexp.probe`` is ``convexp-probe``."""

from convexp.cli.probe import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
