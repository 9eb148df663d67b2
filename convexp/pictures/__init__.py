"""What pictures of every kind have in common: the colour and the marker of each wiring, and sheets of tiles."""
