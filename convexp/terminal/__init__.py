"""What is printed to the terminal, and streams whose failure does not end a run. Imports no torch."""
