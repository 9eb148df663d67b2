"""A report on the terminal, as a page, and as files: Markdown, LaTeX, CSV, HTML."""
