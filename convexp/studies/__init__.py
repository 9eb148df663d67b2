"""Studies: grids of runs that survive what happens to them. No torch."""
