"""The command line: parsed without running anything, checked before Hydra sees it, and written for people to type."""
