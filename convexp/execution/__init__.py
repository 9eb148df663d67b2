"""One run from its configuration to its record: build, train or count, evaluate, restore."""
