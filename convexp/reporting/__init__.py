"""Tables and pictures from run folders. No torch."""
