"""One run from its configuration to its record: build, train or count, evaluate, restore."""

from convexp.imports.lightning import import_lightning

import_lightning()  # before a module of this room imports it
