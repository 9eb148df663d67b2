"""All pages of the reference."""

from reference.commands import command_pages
from reference.options import options_pages
from reference.probes import probes_page
from reference.python_api import python_pages
from reference.settings import settings_page


def pages() -> dict[str, str]:
    """The Markdown of every page, by its path in the site."""
    return {
        "reference/settings.md": settings_page(),
        **options_pages(),
        "reference/probes.md": probes_page(),
        **command_pages(),
        **python_pages(),
    }
