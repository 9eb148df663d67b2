"""The reference of the site, made from the code and the YAML files while the site is built: nothing of it is written by hand.

``pages()`` returns all pages as Markdown. What the settings, options and probes mean is read where ``--help SETTING`` and the
JSON schemas of the editors read it (``convexp.config.help``, ``convexp.config.json_schemas``, ``convexp.config.signatures``).
"""

from reference.pages import pages

__all__ = ["pages"]
