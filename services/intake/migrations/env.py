"""Alembic's entry: migrates the database of services.intake."""

from nkk.messaging.migrations import run
from services.intake.storage import metadata

run(metadata)
