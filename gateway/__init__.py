"""The one door for the website: a stateless Flask application that speaks to the stages over the broker."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """Return the application, as a WSGI server asks for it: `gateway:create_app()`."""
    # Imported here, because the process that makes a document is of this package too and wants none of the rest.
    from gateway.app import create_app

    return create_app()
