"""Training with Lightning: the module, its callbacks, the loggers and the learning-rate schedules."""

from convexp.imports.lightning import import_lightning

import_lightning()  # before a module of this room imports it
