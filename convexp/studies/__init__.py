"""Studies and sweeps: grids of runs that can be interrupted and started again at any time (imports no torch)."""
