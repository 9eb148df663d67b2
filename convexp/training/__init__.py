"""Training with Lightning: the module, its callbacks, the loggers and the learning-rate schedules."""
