"""Answers to ``--help SETTING`` and TAB completion: the values a setting may have, and what it means."""
