"""Where the commands print tables and pages."""

from rich.console import Console


def plain_console() -> Console:
    """Standard output; what stands in square brackets, such as `[models.engine]`, is text and no style."""
    return Console(markup=False)
