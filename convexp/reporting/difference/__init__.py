"""In what two runs differ, and what that did to their results."""
