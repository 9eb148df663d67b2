"""``python -m convexp.schemas`` is ``convexp-schemas``."""

from convexp.cli.schemas import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
