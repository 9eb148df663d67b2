"""Reports on folders of runs: comparisons, tables, charts and a page. No torch."""
