"""An example of a package that adds to convexp: one module for each kind of thing, and a YAML file for each in ``conf/``."""
