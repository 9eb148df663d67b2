"""``python -m convexp.report`` is ``convexp-report``."""

from convexp.cli.report import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
