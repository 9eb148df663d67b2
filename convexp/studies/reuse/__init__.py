"""``reuse=true``: runs that others have finished are taken over, so that overlapping grids compute nothing twice."""
