"""The application's clock, which pages and figures use."""

from datetime import datetime

from flask import current_app


def now() -> datetime:
    """Return the time by the application's clock, `CLOCK` of its configuration."""
    return current_app.config["CLOCK"]()
