"""``dry_run=true``: what a command would do, and how long that would take, without writing anything."""
