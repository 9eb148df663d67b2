"""The commands: thin entry points, what they print, and the errors that they report."""
