"""The gateway: a stateless Flask application for the website and the API, which calls the stages over the broker."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """Return the application, as a WSGI server asks for it: `gateway:create_app()`."""
    # Imported here, because the process that renders documents imports this package without the application.
    from gateway.app import create_app

    return create_app()
