"""``python -m convexp.train`` is ``convexp-train``."""

from convexp.cli.train import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
