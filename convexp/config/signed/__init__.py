"""The signatures by which the configurations that this user's own commands have written are recognised (SECURITY.md)."""
