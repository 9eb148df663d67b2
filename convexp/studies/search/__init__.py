"""Searches: settings chosen by Optuna from what earlier trials came to (``hydra/sweeper=optuna``; imports no torch)."""
