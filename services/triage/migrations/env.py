"""Alembic's entry: migrates the database of services.triage."""

from nkk.messaging.migrations import run
from services.triage.storage import metadata

run(metadata)
