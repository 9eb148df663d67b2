"""Engines: where the runs of a sweep are done, in processes of this machine or by Slurm, Ray or joblib (imports no torch)."""
