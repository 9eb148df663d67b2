"""``python -m convexp.status`` is ``convexp-status``."""

from convexp.cli.status import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
