"""Alembic's entry: migrates the database of webhooks."""

from nkk.store.migrations import run
from webhooks.tables import metadata

run(metadata)
