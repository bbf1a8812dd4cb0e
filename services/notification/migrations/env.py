"""Alembic's entry: migrates the database of services.notification."""

from nkk.store.migrations import run
from services.notification.storage import metadata

run(metadata)
