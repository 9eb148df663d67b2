"""convexp: what do locality and weight sharing buy? (see README.md)."""

__version__ = "0.1.0"
