"""Alembic's entry: migrates the database of services.intake."""

from nkk.store.migrations import run
from services.intake.storage import metadata

run(metadata)
