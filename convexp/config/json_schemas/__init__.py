"""JSON schemas of the YAML files, from which editors complete names, check values and show what a setting means."""
