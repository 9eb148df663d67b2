"""The commands: thin entry points, what they print, and how they report errors."""
