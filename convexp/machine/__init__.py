"""The machine that a run is on: its memory, its hardware, the versions of what is installed. No torch."""
