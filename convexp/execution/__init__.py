"""One run from a configuration to its record: build, train, count, evaluate, restore."""
