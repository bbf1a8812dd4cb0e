"""Alembic's entry: migrates the database of services.triage."""

from nkk.store.migrations import run
from services.triage.storage import metadata

run(metadata)
