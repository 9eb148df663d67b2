"""Files that are written whole or not at all, locks, and JSON and YAML that anybody may have written. No torch."""
