"""What time it is for the pages and the figures: by the clock that the application was made with."""

from datetime import datetime

from flask import current_app


def now() -> datetime:
    """Return the time by the application's clock, `CLOCK` of its configuration."""
    return current_app.config["CLOCK"]()
