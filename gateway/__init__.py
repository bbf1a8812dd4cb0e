"""The one door for the website: a stateless Flask application that speaks to the stages over the broker."""

from gateway.app import create_app

__all__ = ["create_app"]
