"""What is written to the terminal, and streams that never fail a run. No torch."""
