"""A report as text, tables, a page and files."""
